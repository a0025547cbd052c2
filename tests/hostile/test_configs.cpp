// Every case of configs/*.cases (README.md there), given to the library as a caller gives it: what is said of it by a
// preflight, a plan and a create, as text and as a file, and that nothing is left of what was refused.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <set>

#include "cases.h"

extern "C" {
#include "containers.h"
}

using namespace reaper_test;

namespace {

constexpr size_t cases_wanted = 400;
constexpr size_t longest_message = 8192;

std::string directory() {
  const char* data = getenv("REAPER_TEST_DATA");
  return std::string(data != nullptr ? data : ".") + "/../hostile/configs";
}

std::string taken(char* text) {
  const std::string out = text != nullptr ? text : "";
  reaper_free(text);
  return out;
}

std::string as_json(const std::string& text) {
  char* quoted = json_string(text.c_str());
  std::string out = quoted;
  free(quoted);
  return out;
}

// Whether nothing is missing that any config could need: then "OK/..." is OK.
bool is_almighty() {
  char* status = read_whole("/proc/self/status");
  char* last = read_whole("/proc/sys/kernel/cap_last_cap");
  const uint64_t effective = capability_set(status, "CapEff:");
  const uint64_t all = last != nullptr ? (uint64_t{2} << atoi(last)) - 1 : ~uint64_t{0};
  free(status);
  free(last);
  return is_root() && (effective & all) == all;
}

// A code, a pointer and a message, from wherever they were said.
struct Verdict {
  std::string code = "OK", pointer, message;
};

Verdict verdict_of(int result, reaper_error* error) {
  Verdict verdict;
  if (result != REAPER_OK)
    verdict = {reaper_error_name(result) + strlen("REAPER_ERR_"), reaper_error_pointer(error),
               reaper_error_message(error)};
  reaper_error_free(error);
  return verdict;
}

bool is_one_printable_line(const std::string& text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  // C1 controls in UTF-8.
  for (size_t at = text.find('\xc2'); at != std::string::npos && at + 1 < text.size(); at = text.find('\xc2', at + 1))
    if (static_cast<unsigned char>(text[at + 1]) < 0xa0) return false;
  return true;
}

bool can_make_terminals() {
  const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master >= 0) close(master);
  return master >= 0;
}

class Judge {
 public:
  Judge(const Case& judged, const scene& place) : case_(judged), scene_(place) {}

  // Prints what differs.
  bool is_right() {
    write_file();
    check();
    plan();
    create();
    return right_;
  }

 private:
  reaper_create_options options(bool by_file) {
    reaper_create_options options = options_of(&scene_, nullptr);
    if (!by_file) {
      options.config = case_.text.data();
      options.config_length = case_.text.size();
    }
    if (case_.strict) options.flags |= REAPER_CREATE_STRICT;
    if (case_.no_cgroup) options.flags |= REAPER_CREATE_NO_CGROUP;
    if (case_.console) options.console = &console_;
    return options;
  }

  void write_file() {
    std::ofstream file(std::string(scene_.place.bundle) + "/config.json", std::ios::binary | std::ios::trunc);
    file << case_.text;
    if (!file.flush()) wrong("config.json cannot be written", "");
  }

  void wrong(const std::string& what, const std::string& found) {
    if (right_) fprintf(stderr, "%s %s: %.300s\n", case_.where.c_str(), case_.name.c_str(), case_.text.c_str());
    fprintf(stderr, "  %s%s\n", what.c_str(), found.c_str());
    right_ = false;
  }

  bool is_expected(const std::string& code) const {
    static const bool almighty = is_almighty();
    if (code == case_.code) return case_.other_code != "PERMISSION" || is_root();
    return code == case_.other_code && (code != "PERMISSION" || !almighty);
  }

  void compare(const std::string& who, const Verdict& verdict) {
    const std::string pointer = verdict.code == "OK" ? "" : case_.pointer;
    const std::string found = verdict.code + " at \"" + verdict.pointer + "\": " + verdict.message;
    if (!is_expected(verdict.code)) wrong(who + " says ", found);
    if (verdict.pointer != pointer) wrong(who + " has another pointer: ", found);
    if (verdict.code != "OK" && verdict.message.find(case_.part) == std::string::npos)
      wrong(who + " does not say \"" + case_.part + "\": ", found);
    if (!is_one_printable_line(verdict.message)) wrong(who + " has a message that is no line", "");
    // conmon shows the first 8 KiB of what went wrong.
    if (verdict.message.size() > longest_message)
      wrong(who + " has a message of bytes: ", std::to_string(verdict.message.size()));
  }

  void check() {
    reaper_create_options asked = options(false);
    char* text = nullptr;
    reaper_error* error = nullptr;
    const int result = reaper_check(scene_.runtime, &asked, REAPER_FORMAT_JSON, &text, &error);
    if (result != REAPER_OK) return wrong("check fails: ", verdict_of(result, error).message);
    const std::string findings = taken(text);
    Verdict verdict;
    const size_t first = findings.find("{\"level\":\"error\",\"code\":\"REAPER_ERR_");
    if (first != std::string::npos) {
      const std::string rest = findings.substr(first + strlen("{\"level\":\"error\",\"code\":\"REAPER_ERR_"));
      verdict.code = rest.substr(0, rest.find('"'));
      const std::string pointer = "\",\"pointer\":" + as_json(case_.pointer) + ",";
      verdict.pointer = rest.compare(verdict.code.size(), pointer.size(), pointer) == 0 ? case_.pointer : rest;
      // Its message is create's (tests/unit/test_config_cases.h), here in JSON's escapes.
      verdict.message = case_.part;
    }
    if (case_.unforeseen && verdict.code != "OK") wrong("check foresees what it cannot know: ", findings);
    if (!case_.unforeseen) compare("check", verdict);
    check_warning(findings);
  }

  void check_warning(const std::string& findings) {
    if (case_.warning.empty()) return;
    const size_t blank = case_.warning.find(' ');
    const std::string head = "{\"level\":\"warning\",\"code\":\"REAPER_ERR_INVALID\",\"pointer\":" +
                             as_json(case_.warning.substr(0, blank)) + ",";
    const size_t at = findings.find(head);
    const std::string found = at == std::string::npos ? "" : findings.substr(at, findings.find('}', at) - at);
    if (found.find(case_.warning.substr(blank + 1)) == std::string::npos)
      wrong("check has no such warning: ", findings.substr(0, 1000));
  }

  // Nothing but the document and this process' rights is judged.
  void plan() {
    reaper_create_options asked = options(false);
    char* text = nullptr;
    reaper_error* error = nullptr;
    const int result = reaper_plan(scene_.runtime, &asked, REAPER_FORMAT_TEXT, &text, &error);
    reaper_free(text);
    const Verdict verdict = verdict_of(result, error);
    const bool sees = case_.code == "INVALID" || case_.code == "UNSUPPORTED" || case_.code == "OK";
    const bool about_a_terminal = case_.pointer == "/process/terminal" || (case_.console && case_.pointer.empty());
    // Whether a limit may be raised is init's to find out.
    const bool told_later = verdict.code == "OK" && case_.other_code == "PERMISSION";
    if (sees && !about_a_terminal && !told_later)
      compare("plan", verdict);
    else if (verdict.code != "OK" && verdict.code != case_.code)
      wrong("plan says ", verdict.code + ": " + verdict.message);
  }

  void create() {
    reaper_create_options asked = options(true);
    reaper_container* container = nullptr;
    reaper_error* error = nullptr;
    int result = reaper_create(scene_.runtime, "judged", &asked, &container, &error);
    if (case_.at_start && result == REAPER_OK) result = reaper_start(container, &error);
    compare("create", verdict_of(result, error));
    if (console_ >= 0) close(console_);
    if (container == nullptr) return;
    error = nullptr;
    const int gone = reaper_delete(container, REAPER_DELETE_FORCE, &error);
    if (gone != REAPER_OK) wrong("delete fails: ", verdict_of(gone, error).message);
    reaper_container_free(container);
  }

  const Case& case_;
  const scene& scene_;
  int32_t console_ = -1;
  bool right_ = true;
};

void names_are_unique(void**) {
  const auto cases = read_cases(directory());
  std::set<std::string> names, texts;
  for (const Case& one : cases) {
    if (!names.insert(one.name).second) fail_msg("%s: %s stands twice", one.where.c_str(), one.name.c_str());
    const std::string asked = one.text + (one.strict ? " strict" : "") + (one.console ? " console" : "");
    if (!texts.insert(asked).second) fail_msg("%s: this config stands twice", one.where.c_str());
  }
  assert_true(cases.size() >= cases_wanted);
}

void every_case(void** state) {
  const auto& scene = *static_cast<const struct scene*>(*state);
  warm_up(&scene);
  const auto cases = read_cases(directory());
  const census before = take_census(scene.place.root);
  size_t wrong = 0, refused = 0;
  const bool terminals = can_make_terminals();
  for (const Case& one : cases) {
    if (one.code == "OK" && one.console && !terminals) continue;
    refused += one.code != "OK";
    if (!Judge(one, scene).is_right()) ++wrong;

    assert_same_census(before, take_census(scene.place.root));
  }
  printf("%zu configs, %zu of them to be refused\n", cases.size(), refused);
  if (wrong != 0) fail_msg("%zu of %zu cases are wrong", wrong, cases.size());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(names_are_unique),
      cmocka_unit_test_setup_teardown(every_case, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
