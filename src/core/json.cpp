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

// What cJSON's tree does not know of a node.
struct JsonPlace {
  const cJSON* parent;  // null: the whole document
  uint32_t index;       // among the parent's
  uint32_t number;      // of a number: which one in the text
};

struct JsonTree {
  std::string text;
  std::vector<JsonSpan> numbers;
  std::vector<JsonPlace> places;  // item->valueint is an index into this
  std::vector<JsonSection> sections;
  std::optional<JsonKnown> known;
  std::unique_ptr<cJSON, TreeDeleter> root;

  const JsonPlace& place_of(const cJSON* node) const { return places[static_cast<size_t>(node->valueint)]; }
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

// A walk in the text's order, without recursion.
struct Walk {
  cJSON* node;
  const cJSON* parent = nullptr;
  uint32_t index = 0;
};

// What was passed has its place by now.
void advance(const JsonTree& tree, Walk& walk) {
  if (walk.node->child != nullptr) {
    walk = {walk.node->child, walk.node, 0};
    return;
  }
  while (walk.node->next == nullptr) {
    if (walk.parent == nullptr) {
      walk.node = nullptr;
      return;
    }
    const JsonPlace& above = tree.place_of(walk.parent);
    walk = {const_cast<cJSON*>(walk.parent), above.parent, above.index};
  }
  walk = {walk.node->next, walk.parent, walk.index + 1};
}

std::string pointer_of(const JsonTree& tree, const cJSON* node) {
  std::array<const cJSON*, json_max_depth> way;
  size_t depth = 0;
  for (; tree.place_of(node).parent != nullptr; node = tree.place_of(node).parent) way[depth++] = node;
  std::string pointer;
  while (depth > 0) {
    const cJSON* step = way[--depth];
    pointer = step->string != nullptr ? pointer_join(pointer, step->string)
                                      : pointer_join(pointer, size_t{tree.place_of(step).index});
  }
  return pointer;
}

bool same_name(const cJSON* a, const cJSON* b) {
  return std::strcmp(a->string, b->string) == 0;
}

// A member of `object` whose name an earlier one has, or null.
const cJSON* find_duplicate(const cJSON* object, std::vector<const cJSON*>& scratch) {
  scratch.clear();
  for (const cJSON* node = object->child; node != nullptr; node = node->next) scratch.push_back(node);
  constexpr size_t few = 16;
  if (scratch.size() <= few) {
    for (size_t i = 1; i < scratch.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (same_name(scratch[j], scratch[i])) return scratch[i];
    return nullptr;
  }
  // Sorting, not hashing: no text makes it slow.
  std::stable_sort(scratch.begin(), scratch.end(),
                   [](const cJSON* a, const cJSON* b) { return std::strcmp(a->string, b->string) < 0; });
  const auto pair = std::adjacent_find(scratch.begin(), scratch.end(), same_name);
  return pair == scratch.end() ? nullptr : *std::next(pair);
}

Error duplicate_error(const JsonTree& tree, const JsonScan& scan, std::string_view name, const cJSON* duplicate) {
  size_t names = 0;
  for (Walk walk{tree.root.get()}; walk.node != nullptr && walk.node != duplicate; advance(tree, walk))
    if (walk.node->string != nullptr) ++names;
  Error error = json_syntax_error(tree.text, name, scan.names.at(names),
                                  "the name \"" + printable(duplicate->string, 80) + "\" stands twice in one object");
  error.pointer = pointer_of(tree, duplicate);
  return error;
}

// Gives every node its place, every number and section its text.
Status find_places(JsonTree& tree, JsonScan& scan) {
  uint32_t numbers = 0;
  tree.places.reserve(scan.names.size() + 1);
  for (Walk walk{tree.root.get()}; walk.node != nullptr; advance(tree, walk)) {
    walk.node->valueint = static_cast<int>(tree.places.size());  // json_max_bytes fits
    tree.places.push_back({walk.parent, walk.index, numbers});
    if (type_of(walk.node) == JsonType::number) ++numbers;
    if (scan.known && scan.known->value == tree.places.size() - 1)
      tree.known = {scan.which, pointer_of(tree, walk.node)};
  }
  if (numbers != scan.numbers.size())
    return fail({.code = REAPER_ERR_INTERNAL, .message = "cJSON's tree differs from the scan", .stage = "json"});
  tree.numbers = std::move(scan.numbers);
  tree.sections = std::move(scan.sections);
  return {};
}

Status refuse_duplicates(const JsonTree& tree, const JsonScan& scan, std::string_view name) {
  std::vector<const cJSON*> scratch;
  for (Walk walk{tree.root.get()}; walk.node != nullptr; advance(tree, walk)) {
    if (type_of(walk.node) != JsonType::object) continue;
    const cJSON* duplicate = find_duplicate(walk.node, scratch);
    if (duplicate != nullptr) return fail(duplicate_error(tree, scan, name, duplicate));
  }
  return {};
}

// cJSON's tree of `text`, with a 0 in the place of every number, and {} in that of what is known.
Result<cJSON*> build_tree(std::string text, const JsonScan& scan) {
  for (const JsonSpan& number : scan.numbers) {
    std::memset(&text[number.offset], ' ', number.length);
    text[number.offset] = '0';
  }
  if (scan.known) text.replace(scan.known->span.offset, scan.known->span.length, "{}");
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

Result<JsonCursor> parse_json(std::string_view text, std::string_view name, std::span<const std::string_view> known) {
  JsonScan scan = TRY(scan_json(text, name, known));
  auto tree = std::make_shared<JsonTree>();
  tree->text = text;
  tree->root.reset(TRY(build_tree(tree->text, scan)));
  TRY(find_places(*tree, scan));
  TRY(refuse_duplicates(*tree, scan, name));
  const cJSON* root = tree->root.get();
  return JsonCursor(std::move(tree), root);
}

JsonType JsonCursor::type() const {
  return type_of(node_);
}

std::string JsonCursor::pointer() const {
  return pointer_of(*tree_, node_);
}

Error JsonCursor::type_error(JsonType wanted) const {
  std::string message(json_type_name(wanted));
  message.append(" is wanted here, not ").append(json_type_name(type()));
  if (tree_->root.get() == node_) message.insert(0, "the whole document: ");
  return config_error(REAPER_ERR_INVALID, pointer(), message);
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
  for (const cJSON* node = node_->child; node != nullptr; node = node->next) out.push_back(JsonCursor(tree_, node));
  return out;
}

Result<std::vector<std::pair<std::string, JsonCursor>>> JsonCursor::members() const {
  if (type() != JsonType::object) return fail(type_error(JsonType::object));
  std::vector<std::pair<std::string, JsonCursor>> out;
  for (const cJSON* node = node_->child; node != nullptr; node = node->next)
    out.emplace_back(node->string, JsonCursor(tree_, node));
  return out;
}

Result<std::optional<JsonCursor>> JsonCursor::member(std::string_view name) const {
  if (type() != JsonType::object) return fail(type_error(JsonType::object));
  for (const cJSON* node = node_->child; node != nullptr; node = node->next) {
    if (name == node->string) return JsonCursor(tree_, node);
  }
  return std::nullopt;
}

Result<std::string_view> JsonCursor::number_text() const {
  if (type() != JsonType::number) return fail(type_error(JsonType::number));
  const JsonSpan span = tree_->numbers.at(tree_->place_of(node_).number);
  return std::string_view(tree_->text).substr(span.offset, span.length);
}

std::string_view JsonCursor::section_text() const {
  const auto value = static_cast<uint32_t>(node_->valueint);
  const auto section = std::ranges::lower_bound(tree_->sections, value, {}, &JsonSection::value);
  if (section == tree_->sections.end() || section->value != value) return {};
  return std::string_view(tree_->text).substr(section->span.offset, section->span.length);
}

std::optional<JsonKnown> JsonCursor::known() const {
  return tree_->known;
}

Result<int64_t> JsonCursor::signed_integer(int64_t minimum, int64_t maximum) const {
  const std::string_view text = TRY(number_text());
  int64_t value = 0;
  if (read_integer(text, minimum, maximum, value)) return value;
  return fail(integer_error(pointer(), text, std::to_string(minimum), std::to_string(maximum)));
}

Result<uint64_t> JsonCursor::unsigned_integer(uint64_t minimum, uint64_t maximum) const {
  const std::string_view text = TRY(number_text());
  uint64_t value = 0;
  if (read_integer(text, minimum, maximum, value)) return value;
  return fail(integer_error(pointer(), text, std::to_string(minimum), std::to_string(maximum)));
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
