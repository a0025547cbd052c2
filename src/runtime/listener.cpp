#include "runtime/listener.h"

#include "core/json.h"
#include "runtime/peer_socket.h"
#include "runtime/report.h"
#include "runtime/version.h"

namespace reaper {

namespace {

constexpr PeerSocket agent_socket = {"/linux/seccomp/listenerPath: agent's socket", "listener",
                                     "/linux/seccomp/listenerPath"};

bool is_notified(const Config& config) {
  return config.process && config.seccomp && config.seccomp->notifies();
}

std::string process_state(const Record& record, const NotifiedProcess& process, const std::string& metadata) {
  JsonWriter out;
  out.begin_object();
  out.key("ociVersion").string(spec_version);
  out.key("fds").begin_array().string("seccompFd").end_array();
  out.key("pid").integer(process.pid);
  if (!metadata.empty()) out.key("metadata").string(metadata);
  out.key("state").begin_object();
  write_state(out, record, process.status);
  out.end_object();
  out.end_object();
  return out.take();
}

// A record of our own, which has been checked: what is missing or wrong here is CORRUPT.
Result<SeccompListener> decode_listener(const Record& record) {
  SeccompListener listener;
  const JsonCursor object = TRY(parse_json(record.listener_json, "state.json"));
  if (const auto path = TRY(object.member("path"))) listener.path = TRY(path->string());
  if (const auto metadata = TRY(object.member("metadata"))) listener.metadata = TRY(metadata->string());
  if (listener.path.starts_with('/')) return listener;
  return fail({REAPER_ERR_CORRUPT, 0, "state.json has no path at /listener/path", "", "record"});
}

}  // namespace

Status check_listener(const Config& config) {
  if (is_notified(config)) TRY(find_socket(agent_socket, config.seccomp->listener.path));
  return {};
}

std::string encode_listener(const Config& config) {
  if (!is_notified(config)) return "";
  const SeccompListener& listener = config.seccomp->listener;
  JsonWriter out;
  out.begin_object().key("path").string(listener.path);
  if (!listener.metadata.empty()) out.key("metadata").string(listener.metadata);
  out.end_object();
  return out.take();
}

Result<Fd> connect_listener(const Record& record, Deadline deadline) {
  if (record.listener_json.empty()) return Fd();
  return connect_to(agent_socket, TRY(decode_listener(record)).path, deadline);
}

Status send_listener(const Record& record, const NotifiedProcess& process, Fd agent, const Fd& listener,
                     Deadline deadline) {
  if (!agent) return fail({REAPER_ERR_INTERNAL, 0, "reaper-init has a listener for nobody", "", "listener"});
  const std::string text = process_state(record, process, TRY(decode_listener(record)).metadata);
  return send_with_descriptor(agent_socket, agent, text, listener, deadline);
}

}  // namespace reaper
