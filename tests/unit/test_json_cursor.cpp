// Reading values: types, exact integers, look-up with case, pointers, and how long a document lives.
#include <string>
#include <string_view>

#include "unit/test_json_support.h"

using reaper::JsonCursor;
using reaper::JsonType;
using reaper::parse_json;
using namespace std::string_view_literals;

namespace {

JsonCursor parse(std::string_view text) {
  auto document = parse_json(text, "t");
  if (!document) fail_msg("%s", document.error().message.c_str());
  return std::move(*document);
}

JsonCursor get(const JsonCursor& object, std::string_view name) {
  auto found = object.member(name);
  assert_true(found.has_value());
  assert_true(found->has_value());
  return std::move(**found);
}

void assert_refusal(const reaper::Error& error, const char* pointer, const char* message) {
  assert_int_equal(error.code, REAPER_ERR_INVALID);
  assert_int_equal(error.sys_errno, 0);
  assert_string_equal(error.stage.c_str(), "config");
  assert_string_equal(error.pointer.c_str(), pointer);
  assert_string_equal(error.message.c_str(), message);
  json_test::assert_plain_message(error.message);
}

struct SignedRow {
  std::string_view text;
  int64_t minimum;
  int64_t maximum;
  bool good;
  int64_t value;
};

constexpr SignedRow signed_rows[] = {
    {"0", INT64_MIN, INT64_MAX, true, 0},
    {"-1", INT64_MIN, INT64_MAX, true, -1},
    {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
    {"9223372036854775806", INT64_MIN, INT64_MAX, true, INT64_MAX - 1},
    {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
    {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
    {"-9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MIN + 1},
    {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
    {"18446744073709551616", INT64_MIN, INT64_MAX, false, 0},
    {"9007199254740993", INT64_MIN, INT64_MAX, true, 9007199254740993},
    {"-9007199254740993", INT64_MIN, INT64_MAX, true, -9007199254740993},
    {"99999999999999999999999999999999999999999999999999999999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
    {"-1000", -1000, 1000, true, -1000},
    {"1000", -1000, 1000, true, 1000},
    {"-1001", -1000, 1000, false, 0},
    {"1001", -1000, 1000, false, 0},
    {"4294967295", INT32_MIN, INT32_MAX, false, 0},
    {"-2147483648", INT32_MIN, INT32_MAX, true, INT32_MIN},
    {"0", 1, 5, false, 0},
    {"6", 1, 5, false, 0},
    {"-1", 0, 5, false, 0},
    {"-0", INT64_MIN, INT64_MAX, false, 0},
    {"-0", 0, 5, false, 0},
    {"1.0", INT64_MIN, INT64_MAX, false, 0},
    {"-1.0", INT64_MIN, INT64_MAX, false, 0},
    {"0.0", INT64_MIN, INT64_MAX, false, 0},
    {"1e3", INT64_MIN, INT64_MAX, false, 0},
    {"1E0", INT64_MIN, INT64_MAX, false, 0},
    {"10e-1", INT64_MIN, INT64_MAX, false, 0},
    {"1e999", INT64_MIN, INT64_MAX, false, 0},
};

void check_signed(void**) {
  for (const SignedRow& row : signed_rows) {
    const auto value = parse(row.text).signed_integer(row.minimum, row.maximum);
    if (value.has_value() != row.good) fail_msg("%s", std::string(row.text).c_str());
    if (row.good) {
      assert_true(*value == row.value);
    } else {
      assert_int_equal(value.error().code, REAPER_ERR_INVALID);
      json_test::assert_plain_message(value.error().message);
    }
  }
}

struct UnsignedRow {
  std::string_view text;
  uint64_t minimum;
  uint64_t maximum;
  bool good;
  uint64_t value;
};

constexpr UnsignedRow unsigned_rows[] = {
    {"0", 0, UINT64_MAX, true, 0},
    {"18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX},
    {"18446744073709551614", 0, UINT64_MAX, true, UINT64_MAX - 1},
    {"18446744073709551616", 0, UINT64_MAX, false, 0},
    {"9223372036854775808", 0, UINT64_MAX, true, uint64_t{1} << 63},
    {"9007199254740993", 0, UINT64_MAX, true, 9007199254740993},
    {"184467440737095516150", 0, UINT64_MAX, false, 0},
    {"-1", 0, UINT64_MAX, false, 0},
    {"-18446744073709551615", 0, UINT64_MAX, false, 0},
    {"-0", 0, UINT64_MAX, false, 0},
    {"1.0", 0, UINT64_MAX, false, 0},
    {"1e3", 0, UINT64_MAX, false, 0},
    {"1e0", 0, UINT64_MAX, false, 0},
    {"0e5", 0, UINT64_MAX, false, 0},
    {"1e400", 0, UINT64_MAX, false, 0},
    // ids: 4294967295 means "leave unchanged", 4294967296 would be root when cut to 32 bits
    {"4294967294", 0, 4294967294, true, 4294967294},
    {"4294967295", 0, 4294967294, false, 0},
    {"4294967296", 0, 4294967294, false, 0},
    {"2147483648", 0, 4294967294, true, 2147483648},
    {"1.5", 0, 4294967294, false, 0},
    {"3", 4, 7, false, 0},
    {"4", 4, 7, true, 4},
    {"7", 4, 7, true, 7},
    {"8", 4, 7, false, 0},
};

void check_unsigned(void**) {
  for (const UnsignedRow& row : unsigned_rows) {
    const auto value = parse(row.text).unsigned_integer(row.minimum, row.maximum);
    if (value.has_value() != row.good) fail_msg("%s", std::string(row.text).c_str());
    if (row.good) {
      assert_true(*value == row.value);
    } else {
      assert_int_equal(value.error().code, REAPER_ERR_INVALID);
      json_test::assert_plain_message(value.error().message);
    }
  }
}

// Every power of two and its neighbours, by both readers.
void check_powers(void**) {
  for (int bit = 0; bit < 64; bit++) {
    for (int delta = -1; delta <= 1; delta++) {
      const uint64_t value = (uint64_t{1} << bit) + static_cast<uint64_t>(delta);
      const JsonCursor cursor = parse(std::to_string(value));
      assert_true(cursor.unsigned_integer(0, UINT64_MAX).value() == value);
      const auto same = cursor.signed_integer(INT64_MIN, INT64_MAX);
      assert_int_equal(same.has_value(), value <= uint64_t{INT64_MAX});
      if (same) assert_true(static_cast<uint64_t>(*same) == value);
      if (value > 0 && value <= uint64_t{INT64_MAX}) {
        const auto negative = parse("-" + std::to_string(value)).signed_integer(INT64_MIN, INT64_MAX);
        assert_true(negative.value() == -static_cast<int64_t>(value));
      }
    }
  }
}

// Numbers keep their own text wherever they stand.
void check_numbers_in_order(void**) {
  const JsonCursor root = parse(R"({"a":10,"b":[20,{"c":30,"d":[]},"s",40.5,[50]],"e":{"f":{"g":60}},"h":70})");
  const auto all = [](const JsonCursor& at) { return at.signed_integer(0, 1000).value(); };
  assert_int_equal(all(get(root, "a")), 10);
  const auto b = get(root, "b").elements().value();
  assert_int_equal(b.size(), 5);
  assert_int_equal(all(b[0]), 20);
  assert_int_equal(all(get(b[1], "c")), 30);
  assert_false(b[3].signed_integer(0, 1000).has_value());
  assert_int_equal(all(b[4].elements().value()[0]), 50);
  assert_int_equal(all(get(get(get(root, "e"), "f"), "g")), 60);
  assert_int_equal(all(get(root, "h")), 70);
}

void check_integer_messages(void**) {
  const JsonCursor root = parse(R"({"uid":4294967295,"x":[1.0,-0,1e3,-5],"s":"1"})");
  assert_refusal(get(root, "uid").unsigned_integer(0, 4294967294).error(), "/uid",
                 "/uid: a number from 0 to 4294967294 is wanted here, not 4294967295");
  const auto x = get(root, "x").elements().value();
  assert_refusal(x[0].unsigned_integer(0, 7).error(), "/x/0",
                 "/x/0: an integer in plain digits from 0 to 7 is wanted here, not 1.0");
  assert_refusal(x[1].signed_integer(-1, 7).error(), "/x/1",
                 "/x/1: an integer in plain digits from -1 to 7 is wanted here, not -0");
  assert_refusal(x[2].signed_integer(-1, 7).error(), "/x/2",
                 "/x/2: an integer in plain digits from -1 to 7 is wanted here, not 1e3");
  assert_refusal(x[3].signed_integer(-1, 7).error(), "/x/3", "/x/3: a number from -1 to 7 is wanted here, not -5");
  assert_refusal(get(root, "s").unsigned_integer(0, 7).error(), "/s", "/s: a number is wanted here, not a string");
  const std::string digits(500, '9');
  assert_refusal(parse(digits).unsigned_integer(0, 7).error(), "",
                 ("a number from 0 to 7 is wanted here, not " + std::string(40, '9') + "...").c_str());
}

// Each typed reader takes its own type and no other; null is none of them.
void check_types(void**) {
  const struct {
    const char* text;
    JsonType type;
  } rows[] = {
      {"null", JsonType::null},   {"true", JsonType::boolean}, {"false", JsonType::boolean}, {"1", JsonType::number},
      {"\"\"", JsonType::string}, {"[]", JsonType::array},     {"{}", JsonType::object},
  };
  for (const auto& row : rows) {
    const JsonCursor value = get(parse("{\"v\":" + std::string(row.text) + "}"), "v");
    assert_true(value.type() == row.type);
    assert_int_equal(value.boolean().has_value(), row.type == JsonType::boolean);
    assert_int_equal(value.string().has_value(), row.type == JsonType::string);
    assert_int_equal(value.signed_integer(-5, 5).has_value(), row.type == JsonType::number);
    assert_int_equal(value.unsigned_integer(0, 5).has_value(), row.type == JsonType::number);
    assert_int_equal(value.elements().has_value(), row.type == JsonType::array);
    assert_int_equal(value.members().has_value(), row.type == JsonType::object);
    assert_int_equal(value.member("x").has_value(), row.type == JsonType::object);
  }
  assert_true(parse("true").boolean().value());
  assert_false(parse("false").boolean().value());
}

void check_type_messages(void**) {
  const JsonCursor root = parse(R"({"n":null,"b":true,"i":1,"s":"","a":[],"o":{}})");
  assert_refusal(get(root, "n").string().error(), "/n", "/n: a string is wanted here, not null");
  assert_refusal(get(root, "b").elements().error(), "/b", "/b: an array is wanted here, not true or false");
  assert_refusal(get(root, "i").boolean().error(), "/i", "/i: true or false is wanted here, not a number");
  assert_refusal(get(root, "s").members().error(), "/s", "/s: an object is wanted here, not a string");
  assert_refusal(get(root, "a").member("x").error(), "/a", "/a: an object is wanted here, not an array");
  assert_refusal(get(root, "o").signed_integer(0, 1).error(), "/o", "/o: a number is wanted here, not an object");
  assert_refusal(root.elements().error(), "", "the whole document: an array is wanted here, not an object");
}

void check_look_up(void**) {
  const JsonCursor root = parse(R"({"uid":1,"UID":2,"Gid":3,"":4,"\u0061b":5,"é":6})");
  const auto number = [&root](std::string_view name) { return get(root, name).signed_integer(0, 9).value(); };
  assert_int_equal(number("uid"), 1);
  assert_int_equal(number("UID"), 2);
  assert_int_equal(number("Gid"), 3);
  assert_int_equal(number(""), 4);
  assert_int_equal(number("ab"), 5);
  assert_int_equal(number("é"), 6);
  for (const std::string_view absent : {"Uid"sv, "gid"sv, "ui"sv, "uidd"sv, "uid\0"sv, "\0"sv, " uid"sv}) {
    const auto found = root.member(absent);
    assert_true(found.has_value());
    assert_false(found->has_value());
  }
  assert_false(parse("{}").member("").value().has_value());
}

void check_pointers(void**) {
  const JsonCursor root = parse(R"({"a":{"b/c":[{"~":[[],[{"":1}]]}]},"~1":null,"m\nn":0})");
  assert_string_equal(root.pointer().c_str(), "");
  const JsonCursor deep = get(get(get(root, "a"), "b/c").elements().value()[0], "~");
  assert_string_equal(deep.pointer().c_str(), "/a/b~1c/0/~0");
  const JsonCursor deeper = get(deep.elements().value()[1].elements().value()[0], "");
  assert_string_equal(deeper.pointer().c_str(), "/a/b~1c/0/~0/1/0/");
  assert_int_equal(deeper.signed_integer(1, 1).value(), 1);
  assert_string_equal(get(root, "~1").pointer().c_str(), "/~01");
  // A message stays one line whatever a name contains; the pointer is exact.
  assert_refusal(get(root, "m\nn").string().error(), "/m\nn", "/m\\x0an: a string is wanted here, not a number");
  const auto members = root.members().value();
  assert_int_equal(members.size(), 3);
  assert_string_equal(members[0].second.pointer().c_str(), "/a");
  assert_string_equal(members[1].first.c_str(), "~1");
  assert_string_equal(members[1].second.pointer().c_str(), "/~01");

  assert_string_equal(reaper::pointer_join("", "").c_str(), "/");
  assert_string_equal(reaper::pointer_join("/a", "~/~1").c_str(), "/a/~0~1~01");
  assert_string_equal(reaper::pointer_join("/a", size_t{12}).c_str(), "/a/12");
}

// A cursor keeps the document, and the caller's text is not needed any more.
void check_lifetime(void**) {
  auto text = std::make_unique<std::string>(R"({"a":[{"b":123456}]})");
  std::optional<JsonCursor> inner;
  {
    const JsonCursor root = parse(*text);
    inner = get(get(root, "a").elements().value()[0], "b");
  }
  text->assign(text->size(), 'x');
  text.reset();
  assert_int_equal(inner->signed_integer(0, 999999).value(), 123456);
  assert_string_equal(inner->pointer().c_str(), "/a/0/b");
  const JsonCursor copy = *inner;
  inner.reset();
  assert_int_equal(copy.signed_integer(0, 999999).value(), 123456);
}

// Many members: the look for duplicates is not quadratic, and finds the last against the first.
void check_many_members(void**) {
  std::string text = "{";
  for (int i = 0; i < 50000; i++) text += "\"name" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const JsonCursor root = parse(text + "\"last\":-1}");
  assert_int_equal(root.members().value().size(), 50001);
  assert_int_equal(get(root, "name49999").signed_integer(0, 99999).value(), 49999);
  const auto twice = parse_json(text + "\"name0\":0}", "t");
  assert_false(twice.has_value());
  assert_string_equal(twice.error().pointer.c_str(), "/name0");
}

// A section that is known is passed over; all around it is as if it had been read.
void check_known_section(void**) {
  constexpr std::string_view section = R"({"a": [1, {"b": "}"}], "c": 2})";
  const std::string text =
      R"({"n":10,"one":{"x":{},"two":)" + std::string(section) + R"(,"m":11},"three":[{"d":12},13]})";
  const JsonCursor read = parse(text);
  assert_false(read.known().has_value());
  assert_true(read.section_text().empty());
  assert_true(get(read, "one").section_text().empty());
  assert_true(get(get(read, "one"), "x").section_text() == "{}");
  // No bracket behind it belongs to it.
  const JsonCursor arrays = parse(R"({"one":{"x":{},"y":[1,[2]]},"two":[{"z":{}}]})");
  assert_true(get(get(arrays, "one"), "x").section_text() == "{}");
  assert_true(get(get(read, "one"), "two").section_text() == section);
  assert_true(get(get(get(read, "one"), "two"), "a").elements().value()[1].section_text().empty());
  assert_true(get(read, "three").elements().value()[0].section_text().empty());

  const std::string_view known[] = {R"({"a": [1, {"b": "}"}], "c": 3})", "", section, "{\"d\":12}"};
  const auto again = parse_json(text, "t", known);
  assert_true(again.has_value());
  assert_int_equal(again->known()->which, 2);
  assert_string_equal(again->known()->pointer.c_str(), "/one/two");
  assert_string_equal(json_test::written_again(*again).c_str(),
                      R"({"n":10,"one":{"x":{},"two":{},"m":11},"three":[{"d":12},13]})");
  assert_true(get(get(*again, "one"), "two").section_text().empty());
  // Only as a member of a member; the first alone.
  const auto elsewhere = parse_json(
      R"({"d":12,"e":{"d":12},"f":[[{"d":12}],{"d":12}],"g":"{\"d\":12}","h":{"i":[{"d":12}]}})", "t", known);
  assert_false(elsewhere->known().has_value());
  const auto twice = parse_json(R"({"e":{"f":{"d":12},"g":{"d":12}}})", "t", known);
  assert_string_equal(twice->known()->pointer.c_str(), "/e/f");
  assert_true(get(get(*twice, "e"), "g").section_text() == R"({"d":12})");
}

// Behind it, too, errors name their place, and names that stand twice.
void check_known_section_errors(void**) {
  const std::string_view known[] = {"{\n\"a\":1}"};
  const auto message_of = [&](std::string_view text) {
    const auto document = parse_json(text, "t", known);
    assert_false(document.has_value());
    const auto plain = parse_json(text, "t");
    assert_string_equal(document.error().message.c_str(), plain.error().message.c_str());
    assert_string_equal(document.error().pointer.c_str(), plain.error().pointer.c_str());
  };
  message_of("{\"x\":{\"y\":{\n\"a\":1},}}");
  message_of("{\"x\":{\"y\":{\n\"a\":1}}");
  message_of("{\"x\":{\"y\":{\n\"a\":1},\"y\":2}}");
  message_of("{\"x\":{\"y\":{\n\"a\":1},\"z\":2,\n\"z\":3}}");
  message_of("{\"x\":{\"y\":{\n\"a\":1}1}}");
}

void check_type_names(void**) {
  assert_true(reaper::json_type_name(JsonType::null) == "null");
  assert_true(reaper::json_type_name(JsonType::boolean) == "true or false");
  assert_true(reaper::json_type_name(JsonType::number) == "a number");
  assert_true(reaper::json_type_name(JsonType::string) == "a string");
  assert_true(reaper::json_type_name(JsonType::array) == "an array");
  assert_true(reaper::json_type_name(JsonType::object) == "an object");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(check_signed),           cmocka_unit_test(check_unsigned),
      cmocka_unit_test(check_powers),           cmocka_unit_test(check_numbers_in_order),
      cmocka_unit_test(check_integer_messages), cmocka_unit_test(check_types),
      cmocka_unit_test(check_type_messages),    cmocka_unit_test(check_look_up),
      cmocka_unit_test(check_pointers),         cmocka_unit_test(check_lifetime),
      cmocka_unit_test(check_many_members),     cmocka_unit_test(check_type_names),
      cmocka_unit_test(check_known_section),    cmocka_unit_test(check_known_section_errors),
  };
  return cmocka_run_group_tests_name("json_cursor", tests, nullptr, nullptr);
}
