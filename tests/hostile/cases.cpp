#include "cases.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace reaper_test {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  fprintf(stderr, "%s: %s\n", where.c_str(), why.c_str());
  abort();
}

std::string hex_bytes(std::string_view digits, const std::string& where) {
  std::string out;
  while (!digits.empty()) {
    if (digits[0] == ' ') {
      digits.remove_prefix(1);
      continue;
    }
    const std::string pair(digits.substr(0, 2));
    if (pair.find_first_not_of("0123456789abcdef") != std::string::npos || pair.size() != 2)
      refuse(where, "bytes are written as pairs of hexadecimal digits");
    out += static_cast<char>(std::stoi(pair, nullptr, 16));
    digits.remove_prefix(2);
  }
  return out;
}

std::string repeated(const std::string& body, size_t count) {
  const size_t mark = body.find('#');
  const std::string head = body.substr(0, mark), tail = mark == std::string::npos ? "" : body.substr(mark + 1);
  std::string out;
  out.reserve(count * (body.size() + 4));
  for (size_t i = 0; i < count; ++i) {
    out += head;
    if (mark != std::string::npos) out.append(std::to_string(i)).append(tail);
  }
  return out;
}

// What stands between %{ and }, with \} and \\ for these two.
std::string expansion(const std::string& inner, const std::string& where) {
  if (inner.starts_with("hex")) return hex_bytes(std::string_view(inner).substr(3), where);
  const size_t star = inner.find('*');
  if (star == std::string::npos) refuse(where, "neither bytes nor a repetition: " + inner);
  return repeated(inner.substr(star + 1), std::stoul(inner.substr(0, star)));
}

std::string expanded(std::string_view text, const std::string& where) {
  std::string out;
  while (!text.empty()) {
    if (!text.starts_with("%{")) {
      out += text[0];
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(2);
    std::string inner;
    for (; !text.empty() && text[0] != '}'; text.remove_prefix(1)) {
      if (text[0] == '\\' && text.size() > 1 && (text[1] == '}' || text[1] == '\\')) text.remove_prefix(1);
      inner += text[0];
    }
    if (text.empty()) refuse(where, "%{ without }");
    text.remove_prefix(1);
    out += expansion(inner, where);
  }
  return out;
}

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

Case read_case(std::string_view line, const std::string& base, const std::string& where) {
  Case read;
  read.where = where;
  read.name = take_word(line);
  const std::string code(take_word(line));
  read.code = code.substr(0, code.find('/'));
  if (code.find('/') != std::string::npos) read.other_code = code.substr(code.find('/') + 1);
  read.pointer = take_word(line);
  if (read.pointer == "-") read.pointer.clear();
  const size_t place = base.find('@');
  if (read.code.empty() || line.empty() || place == std::string::npos)
    refuse(where, "NAME CODE POINTER TEXT, and a base with an @");
  read.text = expanded(base.substr(0, place), where) + expanded(line, where) + expanded(base.substr(place + 1), where);
  return read;
}

void read_attribute(std::string_view line, Case& of, const std::string& where) {
  const std::string_view word = take_word(line);
  if (word == "says")
    of.part = line;
  else if (word == "warns")
    of.warning = line;
  else if (word == "strict")
    of.strict = true;
  else if (word == "no-cgroup")
    of.no_cgroup = true;
  else if (word == "console")
    of.console = true;
  else if (word == "at-start")
    of.at_start = true;
  else if (word == "unforeseen")
    of.unforeseen = true;
  else
    refuse(where, "this is said of no case: " + std::string(word));
}

void read_file(const std::filesystem::path& path, std::vector<Case>& cases) {
  std::ifstream file(path);
  std::string line, base;
  const size_t before = cases.size();
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string where = path.filename().string() + ":" + std::to_string(number);
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("base "))
      base = line.substr(5);
    else if (!line.starts_with("  "))
      cases.push_back(read_case(line, base, where));
    else if (cases.size() == before)
      refuse(where, "there is no case yet");
    else
      read_attribute(line, cases.back(), where);
  }
}

}  // namespace

std::vector<Case> read_cases(const std::string& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().extension() == ".cases") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Case> cases;
  for (const auto& path : paths) read_file(path, cases);
  return cases;
}

}  // namespace reaper_test
