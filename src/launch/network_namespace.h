// A network namespace, made beside everything else: it takes as long as all else of a container together, so on another
// processor nobody waits for it. For a plan with `network`.
#pragma once

#include <memory>

#include "core/fd.h"
#include "core/result.h"

namespace reaper {

class NetworkNamespace {
 public:
  NetworkNamespace();
  ~NetworkNamespace();  // waits for what has begun
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;

  // Begins. Our table of descriptors gets a socket more meanwhile.
  Status begin();
  // Waits for it, if it has to: the namespace, whose loopback device is up. It lives by this descriptor alone.
  Result<Fd> take();

 private:
  struct Making;
  std::unique_ptr<Making> making_;
};

}  // namespace reaper
