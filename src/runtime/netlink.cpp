#include "runtime/netlink.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace reaper {

namespace {

constexpr size_t answer_bytes = 65536;  // more than the kernel puts into one piece of a dump

template <class T>
void put_bytes(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put(std::string& out, uint16_t type, std::string_view value) {
  const rtattr header = {static_cast<uint16_t>(RTA_LENGTH(value.size())), type};
  put_bytes(out, header);
  out.append(value);
  out.resize(NLMSG_ALIGN(out.size()));
}

// With the NUL: the kernel wants strings so.
void put_name(std::string& out, uint16_t type, const std::string& name) {
  put(out, type, {name.c_str(), name.size() + 1});
}

void put_number(std::string& out, uint16_t type, uint32_t number) {
  put(out, type, {reinterpret_cast<const char*>(&number), sizeof number});
}

std::string link_message(int index, uint32_t flags = 0) {
  ifinfomsg link = {};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = index;
  link.ifi_flags = link.ifi_change = flags;
  std::string body;
  put_bytes(body, link);
  return body;
}

int index_in(const std::string& answer) {
  ifinfomsg link = {};
  memcpy(&link, answer.data(), std::min(answer.size(), sizeof link));
  return link.ifi_index;
}

// The message that adds the same address again; empty: it does not stay.
std::string kept_address(const std::string& answer, int index) {
  constexpr uint32_t kept_flags = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
  ifaddrmsg address = {};
  if (answer.size() < sizeof address) return {};
  memcpy(&address, answer.data(), sizeof address);
  if (static_cast<int>(address.ifa_index) != index || address.ifa_scope != RT_SCOPE_UNIVERSE) return {};
  uint32_t flags = address.ifa_flags;
  std::string attributes;
  for (size_t at = NLMSG_ALIGN(sizeof address); at + sizeof(rtattr) <= answer.size();) {
    rtattr attribute = {};
    memcpy(&attribute, answer.data() + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > answer.size() - at) break;
    const std::string_view value(answer.data() + at + sizeof attribute, attribute.rta_len - sizeof attribute);
    if (attribute.rta_type == IFA_FLAGS && value.size() == sizeof flags)
      memcpy(&flags, value.data(), sizeof flags);
    else if (attribute.rta_type == IFA_LOCAL || attribute.rta_type == IFA_ADDRESS ||
             attribute.rta_type == IFA_BROADCAST || attribute.rta_type == IFA_RT_PRIORITY)
      put(attributes, attribute.rta_type, value);
    at += NLMSG_ALIGN(attribute.rta_len);
  }
  if ((flags & IFA_F_PERMANENT) == 0) return {};
  address.ifa_flags = 0;
  std::string message;
  put_bytes(message, address);
  put_number(attributes, IFA_FLAGS, flags & kept_flags);
  return message + attributes;
}

}  // namespace

Result<Netlink> Netlink::open_here() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail(system_error("net_devices", "socket AF_NETLINK"));
  return Netlink(std::move(socket));
}

Result<Netlink::Answers> Netlink::ask(uint16_t type, uint16_t flags, const std::string& body, const std::string& what) {
  nlmsghdr header = {};
  header.nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(body.size()));
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = ++sequence_;
  std::string message;
  put_bytes(message, header);
  message += body;
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  ssize_t done;
  do
    done = sendto(socket_.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                  sizeof kernel);
  while (done < 0 && errno == EINTR);
  if (done < 0) return fail(system_error("net_devices", what));
  Answers answers;
  std::string buffer(answer_bytes, '\0');
  for (;;) {
    done = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return fail(system_error("net_devices", what, done < 0 ? errno : EPIPE));
    for (size_t at = 0, end = static_cast<size_t>(done); at + sizeof header <= end;) {
      memcpy(&header, buffer.data() + at, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > end - at) break;
      const std::string_view payload(buffer.data() + at + sizeof header, header.nlmsg_len - sizeof header);
      at += NLMSG_ALIGN(header.nlmsg_len);
      if (header.nlmsg_seq != sequence_) continue;
      if (header.nlmsg_type == NLMSG_DONE) return answers;
      if (header.nlmsg_type != NLMSG_ERROR) {
        answers.emplace_back(payload);
        continue;
      }
      int error = -EPROTO;
      if (payload.size() >= sizeof error) memcpy(&error, payload.data(), sizeof error);
      if (error == 0) return answers;
      return fail(system_error("net_devices", what, -error));
    }
  }
}

Result<std::optional<int>> Netlink::index_of(const std::string& name) {
  std::string body = link_message(0);
  put_name(body, IFLA_IFNAME, name);
  const auto answers = ask(RTM_GETLINK, NLM_F_ACK, body, "RTM_GETLINK " + name);
  if (!answers.has_value() && answers.error().sys_errno == ENODEV) return std::optional<int>();
  if (!answers.has_value()) return fail(answers.error());
  if (answers->empty()) return fail(system_error("net_devices", "RTM_GETLINK " + name, EPROTO));
  return std::optional<int>(index_in(answers->front()));
}

Result<std::vector<int>> Netlink::indices() {
  const Answers answers = TRY(ask(RTM_GETLINK, NLM_F_DUMP, link_message(0), "RTM_GETLINK"));
  std::vector<int> found;
  found.reserve(answers.size());
  for (const std::string& answer : answers) found.push_back(index_in(answer));
  return found;
}

Result<std::vector<std::string>> Netlink::addresses_of(int index) {
  std::string body;
  put_bytes(body, ifaddrmsg{});
  std::vector<std::string> kept;
  for (const std::string& answer : TRY(ask(RTM_GETADDR, NLM_F_DUMP, body, "RTM_GETADDR"))) {
    std::string address = kept_address(answer, index);
    if (!address.empty()) kept.push_back(std::move(address));
  }
  return kept;
}

Status Netlink::move(int index, const Fd& network_namespace, const std::string& name) {
  std::string body = link_message(index);
  put_number(body, IFLA_NET_NS_FD, static_cast<uint32_t>(network_namespace.get()));
  put_name(body, IFLA_IFNAME, name);
  TRY(ask(RTM_SETLINK, NLM_F_ACK, body, "RTM_SETLINK as " + name));
  return {};
}

Status Netlink::add_address(int index, std::string address) {
  ifaddrmsg message = {};
  memcpy(&message, address.data(), sizeof message);
  message.ifa_index = static_cast<uint32_t>(index);
  memcpy(address.data(), &message, sizeof message);
  TRY(ask(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, address, "RTM_NEWADDR"));
  return {};
}

Status Netlink::set_up(int index) {
  TRY(ask(RTM_SETLINK, NLM_F_ACK, link_message(index, IFF_UP), "RTM_SETLINK up"));
  return {};
}

}  // namespace reaper
