#include "exec_document.h"

#include <vector>

#include "report.h"

namespace reaper::cli {

namespace {

// 4294967295 would mean "unchanged".
bool is_id(std::string_view text) {
  constexpr uint64_t most = 4294967294;
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return false;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value <= most;
}

// JSON has no other texts: json_string() writes an escape of U+FFFD in the place of such bytes, and of nothing else.
bool is_utf8(std::string_view text) {
  const std::string json = json_string(text);
  for (size_t at = json.find('\\'); at != std::string::npos; at = json.find('\\', at + 2))
    if (json.compare(at, 6, "\\ufffd") == 0) return false;
  return true;
}

// An array of JSON values.
std::string list_of(const std::vector<std::string>& values) {
  std::string list = "[";
  for (const std::string& value : values) list += (list.size() > 1 ? "," : "") + value;
  return list + "]";
}

class Document {
 public:
  explicit Document(const Arguments& arguments) : arguments_(arguments) {}

  bool write(std::string& out) {
    if (!write_args() || !write_user() || !write_each()) {
      out = problem_;
      return false;
    }
    write_text(Opt::cwd, "cwd");
    write_text(Opt::apparmor, "apparmorProfile");
    write_text(Opt::process_label, "selinuxLabel");
    if (arguments_.has(Opt::tty)) member("terminal", "true");
    if (!problem_.empty()) {
      out = problem_;
      return false;
    }
    out = "{" + members_ + "}";
    return true;
  }

 private:
  void member(const char* name, const std::string& value) {
    members_ += std::string(members_.empty() ? "" : ",") + '"' + name + "\":" + value;
  }

  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool append(std::vector<std::string>& list, const char* what, const char* text) {
    if (!is_utf8(text)) return refuse(std::string(what) + " is not UTF-8: a process document cannot hold it");
    list.push_back(json_string(text));
    return true;
  }

  bool write_args() {
    if (arguments_.word_count == 0) return refuse("missing COMMAND (see reaper-runtime exec --help)");
    std::vector<std::string> args;
    for (int i = 0; i < arguments_.word_count; i++)
      if (!append(args, "an argument", arguments_.words[i])) return false;
    member("args", list_of(args));
    return true;
  }

  void write_text(Opt opt, const char* name) {
    std::vector<std::string> one;
    if (arguments_.has(opt) && append(one, name, arguments_.text(opt))) member(name, one[0]);
  }

  bool write_user() {
    std::string uid, gid, user;
    if (arguments_.has(Opt::user)) {
      const std::string_view text = arguments_.text(Opt::user);
      if (!read_user(text, uid, gid))
        return refuse("--user takes UID or UID:GID in digits up to 4294967294, not \"" + std::string(text) +
                      "\": names are not looked up");
      user = "\"uid\":" + uid + (gid.empty() ? "" : ",\"gid\":" + gid);
    }
    std::vector<std::string> groups;
    for (const auto& [opt, text] : arguments_.each) {
      if (opt != Opt::additional_gids) continue;
      if (!is_id(text))
        return refuse("--additional-gids takes a number up to 4294967294, not \"" + std::string(text) + '"');
      groups.emplace_back(text);
    }
    if (!groups.empty()) user += (user.empty() ? "" : ",") + ("\"additionalGids\":" + list_of(groups));
    if (!user.empty()) member("user", "{" + user + "}");
    return true;
  }

  bool write_each() {
    std::vector<std::string> env, caps;
    for (const auto& [opt, text] : arguments_.each) {
      if (opt == Opt::env && !append(env, "--env", text)) return false;
      if (opt == Opt::cap && !append(caps, "--cap", text)) return false;
    }
    if (!env.empty()) member("env", list_of(env));
    const std::string set = list_of(caps);
    if (!caps.empty())
      member("capabilities", R"({"bounding":)" + set + R"(,"effective":)" + set + R"(,"permitted":)" + set + "}");
    return true;
  }

  const Arguments& arguments_;
  std::string members_, problem_;
};

}  // namespace

bool read_user(std::string_view text, std::string& uid, std::string& gid) {
  const size_t colon = text.find(':');
  if (!is_id(text.substr(0, colon))) return false;
  if (colon != std::string_view::npos && !is_id(text.substr(colon + 1))) return false;
  uid = text.substr(0, colon);
  gid = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  return true;
}

bool write_document(const Arguments& arguments, std::string& out) {
  return Document(arguments).write(out);
}

}  // namespace reaper::cli
