// ociVersion: SemVer 2.0.0 (config.md, Specification version). Reaper runs any 1.x document: the specification is
// compatible within a major version, and what a later minor version adds shows up as unknown properties.
#include <algorithm>

#include "config/parse.h"

namespace reaper {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_identifier_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

// Semver.org 2: digits without leading zeros.
bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit) && (text == "0" || text[0] != '0');
}

// What stands before `separator`, which goes too; all of it where there is none.
std::string_view take_until(std::string_view& text, char separator, bool& found) {
  size_t end = text.find(separator);
  found = end != std::string_view::npos;
  std::string_view head = text.substr(0, end);
  text.remove_prefix(found ? end + 1 : text.size());
  return head;
}

// Dot-separated identifiers, none empty. Semver.org 9: numeric ones of a pre-release have no leading zeros.
bool are_identifiers(std::string_view text, bool prerelease) {
  bool more = true;
  while (more) {
    std::string_view identifier = take_until(text, '.', more);
    if (identifier.empty() || !std::ranges::all_of(identifier, is_identifier_char)) return false;
    if (prerelease && std::ranges::all_of(identifier, is_digit) && !is_number(identifier)) return false;
  }
  return true;
}

// The major version, or "" if `text` is not of SemVer's form.
std::string_view parse_semver(std::string_view text) {
  bool has_build = false, has_prerelease = false, more = false;
  std::string_view core = take_until(text, '+', has_build);
  if (has_build && !are_identifiers(text, false)) return {};
  std::string_view prerelease = core;
  core = take_until(prerelease, '-', has_prerelease);
  if (has_prerelease && !are_identifiers(prerelease, true)) return {};
  std::string_view major = take_until(core, '.', more);
  if (!more || !is_number(major)) return {};
  std::string_view minor = take_until(core, '.', more);
  if (!more || !is_number(minor) || !is_number(core)) return {};
  return major;
}

}  // namespace

Status check_version(std::string_view pointer, std::string_view version) {
  std::string_view major = parse_semver(version);
  if (major.empty())
    return fail(config_error(REAPER_ERR_INVALID, pointer,
                             quoted(version) + " is not a version such as \"1.3.0\" (SemVer 2.0.0)"));
  if (major != "1")
    return fail(config_error(
        REAPER_ERR_UNSUPPORTED, pointer,
        "version " + quoted(version) + " of the specification is not supported: this version of Reaper runs 1.x"));
  return {};
}

}  // namespace reaper
