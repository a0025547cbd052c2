// Strict JSON (RFC 8259) in and out. json.cpp is the only file that includes cJSON.
//
// Reading: a scan of the whole text refuses everything that cJSON would let through (bad UTF-8, leading zeros,
// "\u0000", lone surrogates, a byte order mark, trailing text, depth over 64, sizes over the limit), then cJSON builds
// the tree, and duplicate names are refused. Integers are exact: they come from the scanned text, never from cJSON's
// doubles.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

struct cJSON;

namespace reaper {

enum class JsonType { null, boolean, number, string, array, object };

// "an object", "a string", ... for messages.
std::string_view json_type_name(JsonType type);

struct JsonTree;  // the parsed document, shared by its cursors

// A section of a document (an object that is a member of a member of it, as /linux/seccomp is) that was known, and not
// read again.
struct JsonKnown {
  size_t which;  // of those that parse_json() was told
  std::string pointer;
};

// A place in a document. It knows its pointer, looks names up with case, and keeps the document alive.
class JsonCursor {
 public:
  JsonType type() const;
  std::string pointer() const;  // RFC 6901, "" for the whole document; put together when it is asked for

  // Typed access. A value of another type is INVALID with this cursor's pointer, and so is null for anything.
  Result<std::string> string() const;
  Result<bool> boolean() const;
  Result<std::vector<JsonCursor>> elements() const;                         // of an array
  Result<std::vector<std::pair<std::string, JsonCursor>>> members() const;  // of an object, in the text's order
  Result<std::optional<JsonCursor>> member(std::string_view name) const;    // of an object; absent is nullopt
  // Digits only, one leading minus where `minimum` is negative; "1.0", "1e3", "-0" and anything outside
  // minimum...maximum are INVALID.
  Result<int64_t> signed_integer(int64_t minimum, int64_t maximum) const;
  Result<uint64_t> unsigned_integer(uint64_t minimum, uint64_t maximum) const;
  Result<std::string_view> number_text() const;  // of any number, as it stands; lives as long as the document
  std::string_view section_text() const;         // of a section, the same; empty for everything else, and what is known
  std::optional<JsonKnown> known() const;        // of the whole document

 private:
  friend Result<JsonCursor> parse_json(std::string_view, std::string_view, std::span<const std::string_view>);
  JsonCursor(std::shared_ptr<const JsonTree> tree, const cJSON* node) : tree_(std::move(tree)), node_(node) {}
  Error type_error(JsonType wanted) const;

  std::shared_ptr<const JsonTree> tree_;
  const cJSON* node_;
};

inline constexpr size_t json_max_bytes = 16U << 20;
inline constexpr int json_max_depth = 64;

// Parses the whole text. `name` ("config.json") begins the message of a syntax error, which carries line and column:
// "config.json:3:7: ...". Syntax errors have code INVALID, stage "json" and, for a duplicate name, its pointer.
// `known`: texts of sections that were read before, each a section_text(). The first that stands in the document is not
// read again: it is an object without members, and known() says which and where.
Result<JsonCursor> parse_json(std::string_view text, std::string_view name,
                              std::span<const std::string_view> known = {});

// Appends `token` to a JSON pointer, escaped ("~0", "~1").
std::string pointer_join(std::string_view pointer, std::string_view token);
std::string pointer_join(std::string_view pointer, size_t index);

// Builds compact JSON text. Commas and escaping are its business; nesting is the caller's.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  // Each byte that is not UTF-8 becomes U+FFFD. Control characters are escaped, NUL too, which parse_json refuses.
  JsonWriter& string(std::string_view value);
  JsonWriter& integer(int64_t value);
  JsonWriter& unsigned_integer(uint64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // already JSON
  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  void separate();
  std::string text_;
  bool comma_ = false;
};

// The text of a value again, without its blanks.
Status copy_json(JsonWriter& json, const JsonCursor& value);

}  // namespace reaper
