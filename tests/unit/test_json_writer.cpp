// Writing JSON: exact bytes, and that the reader gives back what was written.
#include <string>
#include <string_view>

#include "unit/test_json_support.h"

using reaper::JsonWriter;
using reaper::parse_json;
using namespace std::string_view_literals;

namespace {

void check_structure(void**) {
  JsonWriter to;
  to.begin_object().key("a").begin_array().integer(1).begin_array().end_array().begin_object().end_object();
  to.string("x").null().boolean(true).boolean(false).end_array();
  to.key("b").begin_object().key("c").null().key("d").raw("[1, 2]").end_object().key("e").begin_object().end_object();
  to.key("f").string("").end_object();
  assert_string_equal(to.text().c_str(),
                      R"({"a":[1,[],{},"x",null,true,false],"b":{"c":null,"d":[1, 2]},"e":{},"f":""})");
  assert_true(parse_json(to.text(), "t").has_value());
  assert_string_equal(to.take().c_str(),
                      R"({"a":[1,[],{},"x",null,true,false],"b":{"c":null,"d":[1, 2]},"e":{},"f":""})");
}

void check_integers(void**) {
  JsonWriter to;
  to.begin_array().integer(INT64_MIN).integer(INT64_MAX).integer(0).integer(-1);
  to.unsigned_integer(UINT64_MAX).unsigned_integer(0).end_array();
  assert_string_equal(to.text().c_str(), "[-9223372036854775808,9223372036854775807,0,-1,18446744073709551615,0]");
}

void check_strings(void**) {
  const struct {
    std::string_view value;
    std::string_view text;
  } rows[] = {
      {""sv, R"("")"sv},
      {"a/b"sv, R"("a/b")"sv},
      {"\"\\"sv, R"("\"\\")"sv},
      {"\b\f\n\r\t"sv, R"("\b\f\n\r\t")"sv},
      {"\x01\x0b\x1f"sv, R"("\u0001\u000b\u001f")"sv},
      {"\0"sv, R"("\u0000")"sv},
      {"\x7f"sv, R"("\u007f")"sv},
      {"\xc2\x9b[31m"sv, R"("\u009b[31m")"sv},
      {"\u00a0\u00e9\u2028\u2029\ufeff\U0001f600"sv, "\"\u00a0\u00e9\u2028\u2029\ufeff\U0001f600\""sv},
      {"a\xff"
       "b"sv,
       "\"a\ufffd"
       "b\""sv},
      {"\xc0\x80"sv, "\"\ufffd\ufffd\""sv},
      {"\xed\xa0\x80"sv, "\"\ufffd\ufffd\ufffd\""sv},
      {"\xf4\x90\x80\x80"sv, "\"\ufffd\ufffd\ufffd\ufffd\""sv},
      {"\xe2\x82"sv, "\"\ufffd\ufffd\""sv},
      {"\xc3\"\n"sv, "\"\ufffd\\\"\\n\""sv},
      {"\xc2"sv, "\"\ufffd\""sv},
  };
  for (const auto& row : rows) {
    JsonWriter value;
    assert_string_equal(value.string(row.value).text().c_str(), std::string(row.text).c_str());
    JsonWriter name;
    name.begin_object().key(row.value).null().end_object();
    assert_string_equal(name.text().c_str(), ("{" + std::string(row.text) + ":null}").c_str());
  }
}

// Every code point but NUL and the surrogates: written, read, the same.
void check_every_code_point(void**) {
  std::string all;
  for (uint32_t code = 1; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    if (code < 0x80) {
      all += static_cast<char>(code);
    } else if (code < 0x800) {
      all += static_cast<char>(0xc0 | code >> 6);
      all += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      all += static_cast<char>(0xe0 | code >> 12);
      all += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      all += static_cast<char>(0x80 | (code & 0x3f));
    } else {
      all += static_cast<char>(0xf0 | code >> 18);
      all += static_cast<char>(0x80 | (code >> 12 & 0x3f));
      all += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      all += static_cast<char>(0x80 | (code & 0x3f));
    }
  }
  JsonWriter to;
  to.begin_object().key(all).string(all).end_object();
  const auto document = parse_json(to.text(), "t");
  assert_true(document.has_value());
  const auto members = document->members().value();
  assert_int_equal(members.size(), 1);
  assert_true(members[0].first == all);
  assert_true(members[0].second.string().value() == all);
}

// Bytes of every kind, three at a time: what is written is always JSON, and its second writing is its first.
void check_any_bytes(void**) {
  const unsigned char kinds[] = {1,    '"',  '\\', 'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
  for (const unsigned char a : kinds) {
    for (const unsigned char b : kinds) {
      for (const unsigned char c : kinds) {
        const char value[] = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        JsonWriter first;
        first.string(std::string_view(value, 3));
        const auto read = parse_json(first.text(), "t");
        assert_true(read.has_value());
        JsonWriter second;
        second.string(read->string().value());
        assert_string_equal(second.text().c_str(), first.text().c_str());
      }
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(check_structure),        cmocka_unit_test(check_integers),  cmocka_unit_test(check_strings),
      cmocka_unit_test(check_every_code_point), cmocka_unit_test(check_any_bytes),
  };
  return cmocka_run_group_tests_name("json_writer", tests, nullptr, nullptr);
}
