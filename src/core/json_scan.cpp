// A strict scanner for JSON (RFC 8259). It has no recursion: its callers' threads may have small stacks.
#include "core/json_scan.h"

#include <algorithm>
#include <array>

#include "core/json.h"
#include "core/utf8.h"

namespace reaper {

namespace {

// What may come next, white space aside.
enum class Wanted {
  value,          // at the beginning and after a colon
  element,        // after a comma in an array
  first_element,  // after [
  name,           // after a comma in an object
  first_name,     // after {
  separator,      // after a value
};

struct Reader {
  std::string_view text;
  std::string_view name;  // of the text, for messages
  size_t at = 0;
  std::array<char, json_max_depth> open = {};  // '{' or '[' for each container around `at`
  size_t depth = 0;
  std::span<const std::string_view> known;
  uint32_t values = 0;  // that have begun
  JsonScan found = {};
};

constexpr int end_of_text = -1;

int peek(const Reader& in, size_t ahead = 0) {
  return in.at + ahead < in.text.size() ? static_cast<unsigned char>(in.text[in.at + ahead]) : end_of_text;
}

bool is_digit(int c) {
  return c >= '0' && c <= '9';
}

bool is_letter(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<Error> refuse(const Reader& in, std::string_view message) {
  return fail(json_syntax_error(in.text, in.name, in.at, message));
}

// The refusal where `what` is wanted and something else stands.
std::unexpected<Error> refuse_wanted(const Reader& in, std::string_view what) {
  const int c = peek(in);
  if (c == end_of_text) return refuse(in, "the text ends here, but " + std::string(what) + " is wanted");
  std::string message = std::string(what) + " is wanted here";
  if (c == '/' || c == '#') message += " (JSON has no comments)";
  if (c == '\'') message += " (JSON's strings stand in double quotes)";
  if (utf8_length(in.text.substr(in.at)) == 0) message += " (this is not UTF-8)";
  return refuse(in, message);
}

void skip_space(Reader& in) {
  for (int c = peek(in); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = peek(in)) in.at++;
}

// The code unit of the four digits of \uXXXX, or -1.
int32_t read_hex(const Reader& in, size_t ahead) {
  int32_t unit = 0;
  for (size_t i = 0; i < 4; i++) {
    const int c = peek(in, ahead + i);
    if (is_digit(c)) {
      unit = unit * 16 + (c - '0');
    } else if (c >= 'a' && c <= 'f') {
      unit = unit * 16 + (c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      unit = unit * 16 + (c - 'A' + 10);
    } else {
      return -1;
    }
  }
  return unit;
}

// At the backslash of \uXXXX.
Status unicode_escape(Reader& in) {
  const int32_t unit = read_hex(in, 2);
  if (unit < 0) return refuse(in, "\\u is wanted with four hexadecimal digits");
  // cJSON's strings end at NUL, and so do paths, arguments and environments.
  if (unit == 0) return refuse(in, "\\u0000 cannot stand in a string here");
  if (unit >= 0xdc00 && unit <= 0xdfff) return refuse(in, "the second half of a surrogate pair stands alone");
  if (unit >= 0xd800 && unit <= 0xdbff) {
    const int32_t second = peek(in, 6) == '\\' && peek(in, 7) == 'u' ? read_hex(in, 8) : -1;
    if (second < 0xdc00 || second > 0xdfff) return refuse(in, "the first half of a surrogate pair stands alone");
    in.at += 6;
  }
  in.at += 6;
  return {};
}

// At the backslash.
Status escape(Reader& in) {
  switch (peek(in, 1)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      in.at += 2;
      return {};
    case 'u':
      return unicode_escape(in);
    case end_of_text:
      in.at++;
      return refuse(in, "the text ends inside a string");
    default:
      return refuse(in, "JSON has no such escape; a backslash is written \\\\");
  }
}

// At the opening quotation mark.
Status string(Reader& in) {
  in.at++;
  for (;;) {
    const int c = peek(in);
    if (c == '"') break;
    if (c == end_of_text) return refuse(in, "the text ends inside a string");
    if (c < 0x20) return refuse(in, "a control character in a string must be escaped");
    if (c == '\\') {
      TRY(escape(in));
    } else if (c < 0x80) {
      in.at++;
    } else {
      const size_t length = utf8_length(in.text.substr(in.at));
      if (length == 0) return refuse(in, "the string is not UTF-8");
      in.at += length;
    }
  }
  in.at++;
  return {};
}

// One or more digits; `place` is for the message.
Status digits(Reader& in, std::string_view place) {
  if (!is_digit(peek(in))) return refuse_wanted(in, "a digit " + std::string(place));
  while (is_digit(peek(in))) in.at++;
  return {};
}

// At the minus or the first digit.
Status number(Reader& in) {
  const size_t begin = in.at;
  if (peek(in) == '-') in.at++;
  if (peek(in) == '0' && is_digit(peek(in, 1))) return refuse(in, "a number must not begin with a superfluous 0");
  TRY(digits(in, "after the minus"));
  if (peek(in) == '.') {
    in.at++;
    TRY(digits(in, "after the point"));
  }
  if (peek(in) == 'e' || peek(in) == 'E') {
    in.at++;
    if (peek(in) == '+' || peek(in) == '-') in.at++;
    TRY(digits(in, "in the exponent"));
  }
  in.found.numbers.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(in.at - begin)});
  return {};
}

// At a letter: true, false and null are the only words.
Status word(Reader& in) {
  size_t length = 0;
  while (is_letter(peek(in, length))) length++;
  const std::string_view found = in.text.substr(in.at, length);
  if (found == "true" || found == "false" || found == "null") {
    in.at += length;
    return {};
  }
  if (found == "NaN" || found == "Infinity") return refuse(in, "NaN and Infinity are not JSON");
  return refuse(in, "a value is wanted here; the only words are true, false and null");
}

// Whether a section may begin here, or has ended: a member of a member of the document.
bool in_section_place(const Reader& in) {
  return in.depth == 2 && in.open[0] == '{' && in.open[1] == '{';
}

// At the { of a section. A known one is a whole object: whatever begins with its text begins with the object.
bool pass_known(Reader& in) {
  if (in.found.known) return false;
  const std::string_view rest = in.text.substr(in.at);
  const auto same =
      std::ranges::find_if(in.known, [&](std::string_view text) { return !text.empty() && rest.starts_with(text); });
  if (same == in.known.end()) return false;
  in.found.known = {in.values - 1, {static_cast<uint32_t>(in.at), static_cast<uint32_t>(same->size())}};
  in.found.which = static_cast<size_t>(same - in.known.begin());
  in.at += same->size();
  return true;
}

// At { or [.
Result<Wanted> open_container(Reader& in) {
  if (in.depth == in.open.size()) return refuse(in, "nested deeper than " + std::to_string(json_max_depth));
  const char c = in.text[in.at];
  if (c == '{' && in_section_place(in)) {
    if (pass_known(in)) return Wanted::separator;
    in.found.sections.push_back({in.values - 1, {static_cast<uint32_t>(in.at), 0}});
  }
  in.at++;
  in.open[in.depth++] = c;
  return c == '{' ? Wanted::first_name : Wanted::first_element;
}

// At the } or ] that fits.
Wanted close_container(Reader& in) {
  in.at++;
  in.depth--;
  if (in.open[in.depth] == '{' && in_section_place(in)) {
    JsonSpan& span = in.found.sections.back().span;
    span.length = static_cast<uint32_t>(in.at) - span.offset;
  }
  return Wanted::separator;
}

Result<Wanted> value(Reader& in) {
  const int c = peek(in);
  in.values++;
  if (c == '{' || c == '[') return open_container(in);
  if (c == '"') {
    TRY(string(in));
  } else if (c == '-' || is_digit(c)) {
    TRY(number(in));
  } else if (is_letter(c)) {
    TRY(word(in));
  } else if (c == '+') {
    return refuse(in, "a number must not begin with +");
  } else if (c == '.') {
    return refuse(in, "a number must not begin with a point");
  } else {
    return refuse_wanted(in, "a value");
  }
  return Wanted::separator;
}

// A member's name and its colon.
Result<Wanted> member_name(Reader& in, std::string_view what) {
  if (peek(in) != '"') return refuse_wanted(in, what);
  in.found.names.push_back(static_cast<uint32_t>(in.at));
  TRY(string(in));
  skip_space(in);
  if (peek(in) != ':') return refuse_wanted(in, "a colon");
  in.at++;
  return Wanted::value;
}

// After a value inside a container.
Result<Wanted> separator(Reader& in) {
  const bool object = in.open[in.depth - 1] == '{';
  const int c = peek(in);
  if (c == (object ? '}' : ']')) return close_container(in);
  if (c != ',') return refuse_wanted(in, object ? "a comma or }" : "a comma or ]");
  in.at++;
  return object ? Wanted::name : Wanted::element;
}

Result<Wanted> next(Reader& in, Wanted wanted) {
  switch (wanted) {
    case Wanted::value:
      return value(in);
    case Wanted::element:
      if (peek(in) == ']') return refuse(in, "a value is wanted after the comma");
      return value(in);
    case Wanted::first_element:
      if (peek(in) == ']') return close_container(in);
      return value(in);
    case Wanted::name:
      return member_name(in, "a name in double quotes after the comma");
    case Wanted::first_name:
      if (peek(in) == '}') return close_container(in);
      return member_name(in, "a name in double quotes or }");
    case Wanted::separator:
      return separator(in);
  }
  return refuse(in, "the scanner lost its way");
}

// What editors write in front of the text, and other encodings.
Status check_beginning(const Reader& in) {
  if (in.text.starts_with("\xef\xbb\xbf")) return refuse(in, "a byte order mark; save the text as UTF-8 without one");
  if (in.text.starts_with("\xff\xfe") || in.text.starts_with("\xfe\xff")) {
    return refuse(in, "this is UTF-16; save the text as UTF-8");
  }
  return {};
}

}  // namespace

Error json_syntax_error(std::string_view text, std::string_view name, size_t offset, std::string_view message) {
  const std::string_view before = text.substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t column = newline == std::string_view::npos ? offset + 1 : offset - newline;
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  Error error;
  error.code = REAPER_ERR_INVALID;
  error.message = printable(name) + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
  error.message += printable(message);
  error.stage = "json";
  return error;
}

Result<JsonScan> scan_json(std::string_view text, std::string_view name, std::span<const std::string_view> known) {
  if (text.size() > json_max_bytes) {
    Error error;
    error.code = REAPER_ERR_INVALID;
    error.message =
        printable(name) + ": " + std::to_string(text.size()) + " bytes, the limit is " + std::to_string(json_max_bytes);
    error.stage = "json";
    return fail(std::move(error));
  }
  Reader in{.text = text, .name = name, .known = known};
  TRY(check_beginning(in));
  skip_space(in);
  if (peek(in) == end_of_text) return refuse(in, "the text is empty");
  Wanted wanted = Wanted::value;
  do {
    wanted = TRY(next(in, wanted));
    skip_space(in);
  } while (in.depth > 0 || wanted != Wanted::separator);
  if (peek(in) != end_of_text) return refuse(in, "nothing may follow the document");
  return std::move(in.found);
}

}  // namespace reaper
