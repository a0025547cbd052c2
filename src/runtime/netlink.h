// What the move of a network device says to the kernel (rtnetlink(7)), and hears.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fd.h"
#include "core/result.h"

namespace reaper {

// One socket, which speaks for the network namespace that it was made in.
class Netlink {
 public:
  static Result<Netlink> open_here();  // in the caller's network namespace
  explicit Netlink(Fd socket) : socket_(std::move(socket)) {}

  // The index of the device of that name; nullopt: there is none.
  Result<std::optional<int>> index_of(const std::string& name);
  Result<std::vector<int>> indices();
  // The addresses of a device that stay with it: permanent ones, of global scope. Each is the message that adds it.
  Result<std::vector<std::string>> addresses_of(int index);
  // Into the network namespace of a descriptor, under this name there.
  Status move(int index, const Fd& network_namespace, const std::string& name);
  Status add_address(int index, std::string address);
  Status set_up(int index);

 private:
  using Answers = std::vector<std::string>;
  // `body` is all that comes behind the header. What was answered, acknowledgements aside.
  Result<Answers> ask(uint16_t type, uint16_t flags, const std::string& body, const std::string& what);

  Fd socket_;
  uint32_t sequence_ = 0;
};

}  // namespace reaper
