// Building JSON text.
#include "core/json.h"
#include "core/utf8.h"

namespace reaper {

namespace {

void append_u_escape(std::string& out, unsigned code) {
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out += digits[(code >> 4) & 15];
  out += digits[code & 15];
}

// Control characters are escaped, also those from U+007F to U+009F, which JSON would allow: what is written here is
// printed on terminals.
void append_control(std::string& out, std::string_view sequence) {
  switch (sequence[0]) {
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      // The last byte of C2 80...C2 9F is the code point's number.
      append_u_escape(out, static_cast<unsigned char>(sequence.back()));
  }
}

// How many bytes at the front need no second look: printable ASCII but for the two that are escaped.
size_t plain_prefix(std::string_view value) {
  size_t length = 0;
  while (length < value.size() && value[length] >= ' ' && value[length] < 0x7f && value[length] != '"' &&
         value[length] != '\\')
    ++length;
  return length;
}

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (;;) {
    const size_t plain = plain_prefix(value);
    out.append(value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) break;
    const size_t length = utf8_length(value);
    const std::string_view sequence = value.substr(0, length == 0 ? 1 : length);
    if (length == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD for each byte that belongs to no character
    } else if (begins_with_control(value)) {
      append_control(out, sequence);
    } else {
      if (sequence == "\"" || sequence == "\\") out += '\\';
      out += sequence;
    }
    value.remove_prefix(sequence.size());
  }
  out += '"';
}

}  // namespace

void JsonWriter::separate() {
  if (comma_) text_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  text_ += '{';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  text_ += '}';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_ += '[';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  text_ += ']';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_quoted(text_, name);
  text_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_quoted(text_, value);
  return *this;
}

JsonWriter& JsonWriter::integer(int64_t value) {
  return raw(std::to_string(value));
}

JsonWriter& JsonWriter::unsigned_integer(uint64_t value) {
  return raw(std::to_string(value));
}

JsonWriter& JsonWriter::boolean(bool value) {
  return raw(value ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json;
  return *this;
}

Status copy_json(JsonWriter& json, const JsonCursor& value) {  // NOLINT(misc-no-recursion): json_max_depth bounds it
  switch (value.type()) {
    case JsonType::null:
      json.null();
      break;
    case JsonType::boolean:
      json.boolean(TRY(value.boolean()));
      break;
    case JsonType::string:
      json.string(TRY(value.string()));
      break;
    case JsonType::number:
      json.raw(TRY(value.number_text()));
      break;
    case JsonType::array:
      json.begin_array();
      for (const JsonCursor& element : TRY(value.elements())) TRY(copy_json(json, element));
      json.end_array();
      break;
    case JsonType::object:
      json.begin_object();
      for (const auto& [name, member] : TRY(value.members())) {
        json.key(name);
        TRY(copy_json(json, member));
      }
      json.end_object();
      break;
  }
  return {};
}

}  // namespace reaper
