// Reading JSON: the scan, then cJSON's tree, then cursors on it. The only file that includes cJSON.
//
// cJSON is used for what it is good at (the tree and the decoding of strings) and kept from what it is not: it never
// sees a number (it reads them with the locale's decimal point, and upstream's 1.7.15 cuts them at 63 characters), its
// look-up without case is not called, and its recursion is bounded by the scan's depth. Its global hooks are not
// touched: they are the host's.
#include "core/json.h"

#include <cjson/cJSON.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/json_scan.h"

namespace reaper {

namespace {

struct TreeDeleter {
  void operator()(cJSON* node) const { cJSON_Delete(node); }
};

}  // namespace

struct JsonTree {
  std::string text;
  std::vector<JsonSpan> numbers;  // item->valueint of a number is an index into this
  std::unique_ptr<cJSON, TreeDeleter> root;
};

namespace {

JsonType type_of(const cJSON* node) {
  switch (node->type & 0xff) {
    case cJSON_False:
    case cJSON_True:
      return JsonType::boolean;
    case cJSON_Number:
      return JsonType::number;
    case cJSON_String:
      return JsonType::string;
    case cJSON_Array:
      return JsonType::array;
    case cJSON_Object:
      return JsonType::object;
    default:
      return JsonType::null;
  }
}

// A place of a walk in the text's order, without recursion.
struct Place {
  cJSON* node;
  std::array<cJSON*, json_max_depth> parents = {};
  size_t depth = 0;
};

void advance(Place& place) {
  if (place.node->child != nullptr) {
    place.parents[place.depth++] = place.node;
    place.node = place.node->child;
    return;
  }
  while (place.node != nullptr && place.node->next == nullptr) {
    place.node = place.depth > 0 ? place.parents[--place.depth] : nullptr;
  }
  if (place.node != nullptr) place.node = place.node->next;
}

std::string pointer_of(const Place& place) {
  std::string pointer;
  for (size_t i = 1; i <= place.depth; i++) {
    const cJSON* node = i < place.depth ? place.parents[i] : place.node;
    if (node->string != nullptr) {
      pointer = pointer_join(pointer, node->string);
      continue;
    }
    size_t index = 0;
    for (const cJSON* other = place.parents[i - 1]->child; other != node; other = other->next) index++;
    pointer = pointer_join(pointer, index);
  }
  return pointer;
}

// A member of `object` whose name an earlier one has, or null. Sorting, not hashing: no text makes it slow.
const cJSON* find_duplicate(const cJSON* object, std::vector<const cJSON*>& scratch) {
  scratch.clear();
  for (const cJSON* node = object->child; node != nullptr; node = node->next) scratch.push_back(node);
  std::stable_sort(scratch.begin(), scratch.end(),
                   [](const cJSON* a, const cJSON* b) { return std::strcmp(a->string, b->string) < 0; });
  const auto pair = std::adjacent_find(scratch.begin(), scratch.end(), [](const cJSON* a, const cJSON* b) {
    return std::strcmp(a->string, b->string) == 0;
  });
  return pair == scratch.end() ? nullptr : *std::next(pair);
}

Error duplicate_error(const JsonTree& tree, const JsonScan& scan, std::string_view name, const cJSON* duplicate) {
  Place place{tree.root.get()};
  size_t names = 0;
  for (; place.node != duplicate; advance(place)) names += place.node->string != nullptr;
  Error error = json_syntax_error(tree.text, name, scan.names.at(names),
                                  "the name \"" + printable(duplicate->string, 80) + "\" stands twice in one object");
  error.pointer = pointer_of(place);
  return error;
}

// Gives every number its text and refuses duplicate names.
Status finish_tree(JsonTree& tree, JsonScan& scan, std::string_view name) {
  size_t numbers = 0;
  std::vector<const cJSON*> scratch;
  for (Place place{tree.root.get()}; place.node != nullptr; advance(place)) {
    const JsonType type = type_of(place.node);
    if (type == JsonType::number) place.node->valueint = static_cast<int>(numbers++);
    if (type != JsonType::object) continue;
    const cJSON* duplicate = find_duplicate(place.node, scratch);
    if (duplicate != nullptr) return fail(duplicate_error(tree, scan, name, duplicate));
  }
  if (numbers != scan.numbers.size()) {
    return fail({.code = REAPER_ERR_INTERNAL, .message = "cJSON's tree differs from the scan", .stage = "json"});
  }
  tree.numbers = std::move(scan.numbers);
  return {};
}

// cJSON's tree of `text`, with a 0 in the place of every number.
Result<cJSON*> build_tree(std::string text, const JsonScan& scan) {
  for (const JsonSpan& number : scan.numbers) {
    std::memset(&text[number.offset], ' ', number.length);
    text[number.offset] = '0';
  }
  const int saved = errno;
  errno = 0;
  // With the NUL, as cJSON_Parse does; the scan has refused any other.
  cJSON* root = cJSON_ParseWithLengthOpts(text.c_str(), text.size() + 1, nullptr, 1);
  const int number = errno;
  errno = saved;
  if (root != nullptr) return root;
  // What the scan accepts, cJSON accepts (tested); so this is memory. malloc(3) says so.
  if (number == ENOMEM) return fail(system_error("json", "cJSON_ParseWithLengthOpts", ENOMEM));
  return fail({.code = REAPER_ERR_INTERNAL, .message = "cJSON refuses what the scan accepts", .stage = "json"});
}

Error integer_error(std::string_view pointer, std::string_view text, const std::string& minimum,
                    const std::string& maximum) {
  const bool plain = text.find_first_of(".eE") == std::string_view::npos && text != "-0";
  return config_error(REAPER_ERR_INVALID, pointer,
                      (plain ? "a number" : "an integer in plain digits") + (" from " + minimum) + " to " + maximum +
                          " is wanted here, not " + printable(text, 40));
}

// from_chars reads no sign but a minus, no white space, no prefix; the whole text must be the integer.
template <class Integer>
bool read_integer(std::string_view text, Integer minimum, Integer maximum, Integer& out) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size() && text != "-0" && out >= minimum && out <= maximum;
}

}  // namespace

std::string_view json_type_name(JsonType type) {
  switch (type) {
    case JsonType::null:
      return "null";
    case JsonType::boolean:
      return "true or false";
    case JsonType::number:
      return "a number";
    case JsonType::string:
      return "a string";
    case JsonType::array:
      return "an array";
    case JsonType::object:
      return "an object";
  }
  return "?";
}

Result<JsonCursor> parse_json(std::string_view text, std::string_view name) {
  JsonScan scan = TRY(scan_json(text, name));
  auto tree = std::make_shared<JsonTree>();
  tree->text = text;
  tree->root.reset(TRY(build_tree(tree->text, scan)));
  TRY(finish_tree(*tree, scan, name));
  const cJSON* root = tree->root.get();
  return JsonCursor(std::move(tree), root, "");
}

JsonType JsonCursor::type() const {
  return type_of(node_);
}

JsonCursor JsonCursor::child(const cJSON* node, std::string_view token) const {
  return JsonCursor(tree_, node, pointer_join(pointer_, token));
}

Error JsonCursor::type_error(JsonType wanted) const {
  std::string message(json_type_name(wanted));
  message.append(" is wanted here, not ").append(json_type_name(type()));
  if (pointer_.empty()) message.insert(0, "the whole document: ");
  return config_error(REAPER_ERR_INVALID, pointer_, message);
}

Result<std::string> JsonCursor::string() const {
  if (type() != JsonType::string) return fail(type_error(JsonType::string));
  return std::string(node_->valuestring);
}

Result<bool> JsonCursor::boolean() const {
  if (type() != JsonType::boolean) return fail(type_error(JsonType::boolean));
  return (node_->type & 0xff) == cJSON_True;
}

Result<std::vector<JsonCursor>> JsonCursor::elements() const {
  if (type() != JsonType::array) return fail(type_error(JsonType::array));
  std::vector<JsonCursor> out;
  size_t index = 0;
  for (const cJSON* node = node_->child; node != nullptr; node = node->next) {
    out.push_back(child(node, std::to_string(index++)));
  }
  return out;
}

Result<std::vector<std::pair<std::string, JsonCursor>>> JsonCursor::members() const {
  if (type() != JsonType::object) return fail(type_error(JsonType::object));
  std::vector<std::pair<std::string, JsonCursor>> out;
  for (const cJSON* node = node_->child; node != nullptr; node = node->next) {
    out.emplace_back(node->string, child(node, node->string));
  }
  return out;
}

Result<std::optional<JsonCursor>> JsonCursor::member(std::string_view name) const {
  if (type() != JsonType::object) return fail(type_error(JsonType::object));
  for (const cJSON* node = node_->child; node != nullptr; node = node->next) {
    if (name == node->string) return child(node, name);
  }
  return std::nullopt;
}

Result<std::string_view> JsonCursor::number_text() const {
  if (type() != JsonType::number) return fail(type_error(JsonType::number));
  const JsonSpan span = tree_->numbers.at(static_cast<size_t>(node_->valueint));
  return std::string_view(tree_->text).substr(span.offset, span.length);
}

Result<int64_t> JsonCursor::signed_integer(int64_t minimum, int64_t maximum) const {
  const std::string_view text = TRY(number_text());
  int64_t value = 0;
  if (read_integer(text, minimum, maximum, value)) return value;
  return fail(integer_error(pointer_, text, std::to_string(minimum), std::to_string(maximum)));
}

Result<uint64_t> JsonCursor::unsigned_integer(uint64_t minimum, uint64_t maximum) const {
  const std::string_view text = TRY(number_text());
  uint64_t value = 0;
  if (read_integer(text, minimum, maximum, value)) return value;
  return fail(integer_error(pointer_, text, std::to_string(minimum), std::to_string(maximum)));
}

std::string pointer_join(std::string_view pointer, std::string_view token) {
  std::string out(pointer);
  out += '/';
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string pointer_join(std::string_view pointer, size_t index) {
  return pointer_join(pointer, std::to_string(index));
}

}  // namespace reaper
