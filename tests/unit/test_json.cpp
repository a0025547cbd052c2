// Which texts are JSON: a table of what is accepted and how it reads, and one of what is refused, where and why.
#include <string>
#include <string_view>

#include "unit/test_json_support.h"

using reaper::json_max_bytes;
using reaper::json_max_depth;
using reaper::parse_json;
using namespace std::string_view_literals;

namespace {

struct Accepted {
  std::string_view text;
  std::string_view again;  // as written_again() has it
};

constexpr Accepted accepted[] = {
    // white space
    {"{}"sv, "{}"sv},
    {"[]"sv, "[]"sv},
    {" \t\r\n{ \t\r\n} \t\r\n"sv, "{}"sv},
    {"\n\n[\n1\n,\n2\n]\n"sv, "[1,2]"sv},
    {"{ \"a\" : 1 , \"b\" : 2 }"sv, R"({"a":1,"b":2})"sv},
    // scalars as the whole document
    {"null"sv, "null"sv},
    {"true"sv, "true"sv},
    {"false"sv, "false"sv},
    {"0"sv, "0"sv},
    {"-1"sv, "-1"sv},
    {"\"\""sv, "\"\""sv},
    {" 7 "sv, "7"sv},
    // numbers: the grammar takes them, integers are exact
    {"[0,1,9,10,1234567890]"sv, "[0,1,9,10,1234567890]"sv},
    {"9007199254740993"sv, "9007199254740993"sv},  // 2^53+1
    {"9223372036854775807"sv, "9223372036854775807"sv},
    {"-9223372036854775808"sv, "-9223372036854775808"sv},
    {"9223372036854775808"sv, "9223372036854775808"sv},
    {"18446744073709551615"sv, "18446744073709551615"sv},
    {"18446744073709551616"sv, "\"?\""sv},
    {"-9223372036854775809"sv, "\"?\""sv},
    {"-0"sv, "\"?\""sv},
    {"0.0"sv, "\"?\""sv},
    {"1.0"sv, "\"?\""sv},
    {"-1.5"sv, "\"?\""sv},
    {"1e3"sv, "\"?\""sv},
    {"1E3"sv, "\"?\""sv},
    {"1e+3"sv, "\"?\""sv},
    {"1e-3"sv, "\"?\""sv},
    {"0e0"sv, "\"?\""sv},
    {"1.25e007"sv, "\"?\""sv},
    {"1e999"sv, "\"?\""sv},
    {"-1e999999999999999999999"sv, "\"?\""sv},
    // more characters than cJSON's number buffer (63), alone and followed by others
    {"[1111111111222222222233333333334444444444555555555566666666667777777777,5]"sv, "[\"?\",5]"sv},
    {"{\"a\":0.0000000000000000000000000000000000000000000000000000000000000000000000001,\"b\":6}"sv,
     R"({"a":"?","b":6})"sv},
    {"[1,2.5,3,-4,5e1,6]"sv, R"([1,"?",3,-4,"?",6])"sv},
    // strings
    {R"("a b")"sv, R"("a b")"sv},
    {R"("\"\\\/\b\f\n\r\t")"sv, R"("\"\\/\b\f\n\r\t")"sv},
    {R"("\u0041\u005a\u007A")"sv, R"("AZz")"sv},
    {R"("\u0001\u001f")"sv, R"("\u0001\u001f")"sv},
    {R"("\u00e9\u20ac")"sv, "\"\u00e9\u20ac\""sv},
    {R"("\uD83D\uDE00")"sv, "\"\U0001f600\""sv},
    {R"("\ud800\udc00\udbff\udfff")"sv, "\"\U00010000\U0010ffff\""sv},
    {R"("\ud7ff\ue000\uffff")"sv, "\"\ud7ff\ue000\uffff\""sv},
    {R"("\\u0000")"sv, R"("\\u0000")"sv},
    {R"("\\")"sv, R"("\\")"sv},
    {"\"\x7f\""sv, R"("\u007f")"sv},
    {"\"\xc2\x80\xc2\x9f\xc2\xa0\""sv, "\"\\u0080\\u009f\xc2\xa0\""sv},
    {"\"\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""sv,
     "\"\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""sv},
    {"\"\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf\""sv,
     "\"\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf\""sv},
    {"\"\u2028\u2029\""sv, "\"\u2028\u2029\""sv},
    {"\"\ufeff\""sv, "\"\ufeff\""sv},  // a byte order mark is a character like others inside a string
    {R"("/*no comment*/ //")"sv, R"("/*no comment*/ //")"sv},
    // containers
    {"[[],{},[[]],[{}]]"sv, "[[],{},[[]],[{}]]"sv},
    {R"({"a":[],"b":{},"c":null,"d":true,"e":false,"f":"x"})"sv,
     R"({"a":[],"b":{},"c":null,"d":true,"e":false,"f":"x"})"sv},
    {R"([null,true,false,"null"])"sv, R"([null,true,false,"null"])"sv},
    {R"({"":1})"sv, R"({"":1})"sv},
    {R"({"a":{"a":{"a":1}}})"sv, R"({"a":{"a":{"a":1}}})"sv},
    {R"([{"a":1},{"a":2}])"sv, R"([{"a":1},{"a":2}])"sv},
    {R"({"a":1,"A":2})"sv, R"({"a":1,"A":2})"sv},                          // names differ by case
    {"{\"\u00e9\":1,\"e\u0301\":2}"sv, "{\"\u00e9\":1,\"e\u0301\":2}"sv},  // é twice: nothing is normalized
    {R"({"a":1,"a ":2," a":3,"aa":4})"sv, R"({"a":1,"a ":2," a":3,"aa":4})"sv},
    {R"({"z":1,"y":2,"x":3})"sv, R"({"z":1,"y":2,"x":3})"sv},  // the text's order
};

struct Refused {
  std::string_view text;
  std::string_view message;  // after "t.json"
  std::string_view pointer = ""sv;
};

#define EMPTY ":1:1: the text is empty"sv
#define WORDS(at) ":1:" #at ": a value is wanted here; the only words are true, false and null"sv
#define NOT_UTF8(at) ":1:" #at ": the string is not UTF-8"sv
#define HALF_FIRST ":1:2: the first half of a surrogate pair stands alone"sv
#define HALF_SECOND ":1:2: the second half of a surrogate pair stands alone"sv
#define NO_ESCAPE ":1:2: JSON has no such escape; a backslash is written \\\\"sv
#define HEX ":1:2: \\u is wanted with four hexadecimal digits"sv
#define FOLLOWS(at) ":1:" #at ": nothing may follow the document"sv
#define ZERO(at) ":1:" #at ": a number must not begin with a superfluous 0"sv
#define CONTROL(at) ":1:" #at ": a control character in a string must be escaped"sv
#define END_IN_STRING(at) ":1:" #at ": the text ends inside a string"sv
#define END_BUT(at, what) ":1:" #at ": the text ends here, but " what " is wanted"sv
#define WANTED(at, what) ":1:" #at ": " what " is wanted here"sv

constexpr Refused refused[] = {
    // nothing
    {""sv, EMPTY},
    {" "sv, ":1:2: the text is empty"sv},
    {"\n\n\t"sv, ":3:2: the text is empty"sv},
    // encodings
    {"\xef\xbb\xbf{}"sv, ":1:1: a byte order mark; save the text as UTF-8 without one"sv},
    {"\xef\xbb\xbf"sv, ":1:1: a byte order mark; save the text as UTF-8 without one"sv},
    {"\xff\xfe{\0}\0"sv, ":1:1: this is UTF-16; save the text as UTF-8"sv},
    {"\xfe\xff\0{\0}"sv, ":1:1: this is UTF-16; save the text as UTF-8"sv},
    {"{\0}\0"sv, WANTED(2, "a name in double quotes or }")},
    {"\0{\0}"sv, WANTED(1, "a value")},
    {" \xef\xbb\xbf{}"sv, WANTED(2, "a value")},
    {"{}\xef\xbb\xbf"sv, FOLLOWS(3)},
    {"\xff"sv, ":1:1: a value is wanted here (this is not UTF-8)"sv},
    {"[\xc3]"sv, ":1:2: a value is wanted here (this is not UTF-8)"sv},
    {"\xc2\xa0{}"sv, WANTED(1, "a value")},  // a no-break space is no white space
    {"\v{}"sv, WANTED(1, "a value")},
    {"\f{}"sv, WANTED(1, "a value")},
    // NUL
    {"{}\0"sv, FOLLOWS(3)},
    {"[1,\0 2]"sv, WANTED(4, "a value")},
    {"\"a\0b\""sv, CONTROL(3)},
    {R"("\u0000")"sv, ":1:2: \\u0000 cannot stand in a string here"sv},
    {R"("a\u0000b")"sv, ":1:3: \\u0000 cannot stand in a string here"sv},
    {R"({"a\u0000":1})"sv, ":1:4: \\u0000 cannot stand in a string here"sv},
    // UTF-8 in strings
    {"\"\x80\""sv, NOT_UTF8(2)},
    {"\"\xbf\""sv, NOT_UTF8(2)},
    {"\"\xc0\x80\""sv, NOT_UTF8(2)},                  // overlong NUL
    {"\"\xc0\xaf\""sv, NOT_UTF8(2)},                  // overlong /
    {"\"\xc1\xbf\""sv, NOT_UTF8(2)},                  // overlong U+007F
    {"\"\xe0\x80\xaf\""sv, NOT_UTF8(2)},              // overlong /
    {"\"\xe0\x9f\xbf\""sv, NOT_UTF8(2)},              // overlong U+07FF
    {"\"\xf0\x80\x80\xaf\""sv, NOT_UTF8(2)},          // overlong /
    {"\"\xf0\x8f\xbf\xbf\""sv, NOT_UTF8(2)},          // overlong U+FFFF
    {"\"\xed\xa0\x80\""sv, NOT_UTF8(2)},              // U+D800
    {"\"\xed\xbf\xbf\""sv, NOT_UTF8(2)},              // U+DFFF
    {"\"\xed\xa0\xbd\xed\xb8\x80\""sv, NOT_UTF8(2)},  // CESU-8
    {"\"\xf4\x90\x80\x80\""sv, NOT_UTF8(2)},          // U+110000
    {"\"\xf5\x80\x80\x80\""sv, NOT_UTF8(2)},
    {"\"\xf8\x88\x80\x80\x80\""sv, NOT_UTF8(2)},
    {"\"\xfc\x84\x80\x80\x80\x80\""sv, NOT_UTF8(2)},
    {"\"\xfe\""sv, NOT_UTF8(2)},
    {"\"\xff\""sv, NOT_UTF8(2)},
    {"\"ab\xc3\""sv, NOT_UTF8(4)},
    {"\"\xc3(\""sv, NOT_UTF8(2)},
    {"\"\xe2\x82\""sv, NOT_UTF8(2)},
    {"\"\xe2\x28\xa1\""sv, NOT_UTF8(2)},
    {"\"\xf0\x9f\x98\""sv, NOT_UTF8(2)},
    {"\"\xf0\x9f\x28\x80\""sv, NOT_UTF8(2)},
    {"\"\xf0\x9f\x98"sv, NOT_UTF8(2)},
    {"{\"\xff\":1}"sv, NOT_UTF8(3)},
    {"\"\\\xc3\xa9\""sv, NO_ESCAPE},
    // surrogates
    {R"("\ud800")"sv, HALF_FIRST},
    {R"("\udbff")"sv, HALF_FIRST},
    {R"("\uD83D")"sv, HALF_FIRST},
    {R"("\ud800x")"sv, HALF_FIRST},
    {R"("\ud800\n")"sv, HALF_FIRST},
    {R"("\ud800\u0041")"sv, HALF_FIRST},
    {R"("\ud800\ud800")"sv, HALF_FIRST},
    {R"("\ud800\ue000")"sv, HALF_FIRST},
    {R"("\ud800\udc0")"sv, HALF_FIRST},
    {R"("\ud800\\udc00")"sv, HALF_FIRST},
    {R"("\udc00")"sv, HALF_SECOND},
    {R"("\udfff")"sv, HALF_SECOND},
    {R"("\udc00\ud800")"sv, HALF_SECOND},
    {R"({"\udead":1})"sv, ":1:3: the second half of a surrogate pair stands alone"sv},
    // escapes
    {R"("\a")"sv, NO_ESCAPE},
    {R"("\v")"sv, NO_ESCAPE},
    {R"("\x41")"sv, NO_ESCAPE},
    {R"("\0")"sv, NO_ESCAPE},
    {R"("\'")"sv, NO_ESCAPE},
    {R"("\ ")"sv, NO_ESCAPE},
    {R"("\U0041")"sv, NO_ESCAPE},
    {"\"\\\n\""sv, NO_ESCAPE},
    {R"("\u")"sv, HEX},
    {R"("\u1")"sv, HEX},
    {R"("\u12")"sv, HEX},
    {R"("\u123")"sv, HEX},
    {R"("\u123g")"sv, HEX},
    {R"("\u 123")"sv, HEX},
    {R"("\u+123")"sv, HEX},
    {R"("\u-123")"sv, HEX},
    {R"("\u0x41")"sv, HEX},
    {R"("\u004)"sv, HEX},
    {R"("C:\Users")"sv, ":1:4: JSON has no such escape; a backslash is written \\\\"sv},
    // control characters in strings
    {"\"\n\""sv, CONTROL(2)},
    {"\"\t\""sv, CONTROL(2)},
    {"\"\r\""sv, CONTROL(2)},
    {"\"a\x01\""sv, CONTROL(3)},
    {"\"a\x1f\""sv, CONTROL(3)},
    {"{\"a\nb\":1}"sv, CONTROL(4)},
    // strings that do not end
    {"\""sv, END_IN_STRING(2)},
    {"\"a"sv, END_IN_STRING(3)},
    {"\"\\"sv, END_IN_STRING(3)},
    {"\"\\\""sv, END_IN_STRING(4)},
    {"{\"a"sv, END_IN_STRING(4)},
    {"[\"a]"sv, END_IN_STRING(5)},
    // numbers
    {"007"sv, ZERO(1)},
    {"00"sv, ZERO(1)},
    {"01"sv, ZERO(1)},
    {"-01"sv, ZERO(2)},
    {"-00"sv, ZERO(2)},
    {"00.5"sv, ZERO(1)},
    {"[022]"sv, ZERO(2)},
    {"+1"sv, ":1:1: a number must not begin with +"sv},
    {"+"sv, ":1:1: a number must not begin with +"sv},
    {".5"sv, ":1:1: a number must not begin with a point"sv},
    {"-.5"sv, WANTED(2, "a digit after the minus")},
    {"-"sv, END_BUT(2, "a digit after the minus")},
    {"--1"sv, WANTED(2, "a digit after the minus")},
    {"-+1"sv, WANTED(2, "a digit after the minus")},
    {"- 1"sv, WANTED(2, "a digit after the minus")},
    {"-Infinity"sv, WANTED(2, "a digit after the minus")},
    {"-NaN"sv, WANTED(2, "a digit after the minus")},
    {"1."sv, END_BUT(3, "a digit after the point")},
    {"1.e1"sv, WANTED(3, "a digit after the point")},
    {"[1.]"sv, WANTED(4, "a digit after the point")},
    {"1e"sv, END_BUT(3, "a digit in the exponent")},
    {"1e+"sv, END_BUT(4, "a digit in the exponent")},
    {"1E-"sv, END_BUT(4, "a digit in the exponent")},
    {"1e1.5"sv, FOLLOWS(4)},
    {"1.5.5"sv, FOLLOWS(4)},
    {"0x10"sv, FOLLOWS(2)},
    {"0b1"sv, FOLLOWS(2)},
    {"1_000"sv, FOLLOWS(2)},
    {"1,5"sv, FOLLOWS(2)},
    {"1 2"sv, FOLLOWS(3)},
    {"10L"sv, FOLLOWS(3)},
    {"[1-2]"sv, WANTED(3, "a comma or ]")},
    {"\xd9\xa1"sv, WANTED(1, "a value")},  // an Arabic digit
    {"NaN"sv, ":1:1: NaN and Infinity are not JSON"sv},
    {"Infinity"sv, ":1:1: NaN and Infinity are not JSON"sv},
    {"[NaN]"sv, ":1:2: NaN and Infinity are not JSON"sv},
    {"nan"sv, WORDS(1)},
    // words
    {"True"sv, WORDS(1)},
    {"FALSE"sv, WORDS(1)},
    {"Null"sv, WORDS(1)},
    {"nul"sv, WORDS(1)},
    {"t"sv, WORDS(1)},
    {"truee"sv, WORDS(1)},
    {"nulll"sv, WORDS(1)},
    {"undefined"sv, WORDS(1)},
    {"None"sv, WORDS(1)},
    {"yes"sv, WORDS(1)},
    {"true1"sv, FOLLOWS(5)},
    {"truefalse"sv, WORDS(1)},
    // comments
    {"// x\n{}"sv, ":1:1: a value is wanted here (JSON has no comments)"sv},
    {"/* x */{}"sv, ":1:1: a value is wanted here (JSON has no comments)"sv},
    {"# x\n{}"sv, ":1:1: a value is wanted here (JSON has no comments)"sv},
    {"{/* x */}"sv, ":1:2: a name in double quotes or } is wanted here (JSON has no comments)"sv},
    {"[1 // one\n]"sv, ":1:4: a comma or ] is wanted here (JSON has no comments)"sv},
    {"{\"a\"/**/:1}"sv, ":1:5: a colon is wanted here (JSON has no comments)"sv},
    {"{\"a\":1,\n# b\n\"b\":2}"sv,
     ":2:1: a name in double quotes after the comma is wanted here (JSON has no comments)"sv},
    {"{} // end"sv, FOLLOWS(4)},
    // commas and brackets
    {"[1,]"sv, ":1:4: a value is wanted after the comma"sv},
    {"[1,\n]"sv, ":2:1: a value is wanted after the comma"sv},
    {"[,1]"sv, WANTED(2, "a value")},
    {"[,]"sv, WANTED(2, "a value")},
    {"[1,,2]"sv, WANTED(4, "a value")},
    {"[1 2]"sv, WANTED(4, "a comma or ]")},
    {"[1;2]"sv, WANTED(3, "a comma or ]")},
    {"[1:2]"sv, WANTED(3, "a comma or ]")},
    {"[1}"sv, WANTED(3, "a comma or ]")},
    {"[}"sv, WANTED(2, "a value")},
    {"{]"sv, WANTED(2, "a name in double quotes or }")},
    {"]"sv, WANTED(1, "a value")},
    {"}"sv, WANTED(1, "a value")},
    {","sv, WANTED(1, "a value")},
    {":"sv, WANTED(1, "a value")},
    {"["sv, END_BUT(2, "a value")},
    {"[1"sv, END_BUT(3, "a comma or ]")},
    {"[1,"sv, END_BUT(4, "a value")},
    {"[[]"sv, END_BUT(4, "a comma or ]")},
    {"{\"a\":1,}"sv, ":1:8: a name in double quotes after the comma is wanted here"sv},
    {"{,}"sv, WANTED(2, "a name in double quotes or }")},
    {"{\"a\":1,,\"b\":2}"sv, ":1:8: a name in double quotes after the comma is wanted here"sv},
    {"{\"a\":1 \"b\":2}"sv, WANTED(8, "a comma or }")},
    {"{\n  \"a\": 1\n  \"b\": 2\n}"sv, ":3:3: a comma or } is wanted here"sv},
    {"{\r\n\"a\": 1\r\n\"b\": 2}"sv, ":3:1: a comma or } is wanted here"sv},
    {"{\"\u00e9\u20ac\" 1}"sv, WANTED(10, "a colon")},  // the column counts bytes
    {"{\"a\":1]"sv, WANTED(7, "a comma or }")},
    {"{\"a\"}"sv, WANTED(5, "a colon")},
    {"{\"a\",1}"sv, WANTED(5, "a colon")},
    {"{\"a\"=1}"sv, WANTED(5, "a colon")},
    {"{\"a\"::1}"sv, WANTED(6, "a value")},
    {"{\"a\":}"sv, WANTED(6, "a value")},
    {"{\"a\":,}"sv, WANTED(6, "a value")},
    {"{a:1}"sv, WANTED(2, "a name in double quotes or }")},
    {"{'a':1}"sv, ":1:2: a name in double quotes or } is wanted here (JSON's strings stand in double quotes)"sv},
    {"['a']"sv, ":1:2: a value is wanted here (JSON's strings stand in double quotes)"sv},
    {"{1:1}"sv, WANTED(2, "a name in double quotes or }")},
    {"{null:1}"sv, WANTED(2, "a name in double quotes or }")},
    {"{[]:1}"sv, WANTED(2, "a name in double quotes or }")},
    {"{"sv, END_BUT(2, "a name in double quotes or }")},
    {"{\"a\""sv, END_BUT(5, "a colon")},
    {"{\"a\":"sv, END_BUT(6, "a value")},
    {"{\"a\":1"sv, END_BUT(7, "a comma or }")},
    {"{\"a\":1,"sv, END_BUT(8, "a name in double quotes after the comma")},
    // after the end
    {"{}{}"sv, FOLLOWS(3)},
    {"{} x"sv, FOLLOWS(4)},
    {"[]]"sv, FOLLOWS(3)},
    {"{}}"sv, FOLLOWS(3)},
    {"[],"sv, FOLLOWS(3)},
    {"\"a\" \"b\""sv, FOLLOWS(5)},
    {"null null"sv, FOLLOWS(6)},
    {"{}\n{}\n"sv, ":2:1: nothing may follow the document"sv},
    // duplicate names
    {R"({"a":1,"a":1})"sv, R"(:1:8: the name "a" stands twice in one object)"sv, "/a"sv},
    {R"({"a":1,"b":2,"a":3})"sv, R"(:1:14: the name "a" stands twice)"sv, "/a"sv},
    {"{\"a\":1,\n \"a\":2}"sv, ":2:2: the name \"a\" stands twice"sv, "/a"sv},
    {R"({"":1,"":2})"sv, R"(:1:7: the name "" stands twice)"sv, "/"sv},
    {R"({"a":1,"\u0061":2})"sv, R"(:1:8: the name "a" stands twice)"sv, "/a"sv},
    {R"({"\u00e9":1,"é":2})"sv, R"(:1:13: the name "é" stands twice)"sv, "/é"sv},
    {R"({"\ud83d\ude00":1,"😀":2})"sv, R"(:1:19: the name "😀" stands twice)"sv, "/😀"sv},
    {R"({"a\/b":1,"a/b":2})"sv, R"(:1:11: the name "a/b" stands twice)"sv, "/a~1b"sv},
    {R"({"~1":1,"x":{"y":[0,{"m~n/o":1,"m~n\u002fo":[]}]}})"sv, R"(:1:32: the name "m~n/o" stands twice)"sv,
     "/x/y/1/m~0n~1o"sv},
    {R"([[],[1,{"a":{"b":2}}],{"a":{"q":[],"q":[]}}])"sv, R"(:1:36: the name "q" stands twice)"sv, "/2/a/q"sv},
    {R"({"a":{"b":{"c":0},"b":{}},"d":0})"sv, R"(:1:19: the name "b" stands twice)"sv, "/a/b"sv},
    {R"({"line\nfeed":1,"line\nfeed":2})"sv, R"(:1:17: the name "line\x0afeed" stands twice)"sv, "/line\nfeed"sv},
    {R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"e":1})"sv,
     R"(:1:104: the name "e" stands twice)"sv, "/e"sv},
    // syntax comes before meaning
    {R"({"a":1,"a":2)"sv, END_BUT(13, "a comma or }")},
};

void check_accepted(void**) {
  for (const Accepted& row : accepted) {
    const auto document = parse_json(row.text, "t.json");
    if (!document) fail_msg("%.*s: %s", int(row.text.size()), row.text.data(), document.error().message.c_str());
    const std::string again = json_test::written_again(*document);
    assert_string_equal(again.c_str(), std::string(row.again).c_str());
    // What was written reads the same again.
    const auto second = parse_json(again, "again");
    assert_true(second.has_value());
    assert_string_equal(json_test::written_again(*second).c_str(), again.c_str());
  }
}

void check_refused(void**) {
  for (const Refused& row : refused) {
    const auto document = parse_json(row.text, "t.json");
    if (document) fail_msg("accepted: %.*s", int(row.text.size()), row.text.data());
    const reaper::Error& error = document.error();
    assert_int_equal(error.code, REAPER_ERR_INVALID);
    assert_int_equal(error.sys_errno, 0);
    assert_string_equal(error.stage.c_str(), "json");
    assert_string_equal(error.pointer.c_str(), std::string(row.pointer).c_str());
    json_test::assert_plain_message(error.message);
    const std::string wanted = "t.json" + std::string(row.message);
    if (!error.message.starts_with(wanted)) {
      fail_msg("%.*s\n  said   %s\n  wanted %s", int(row.text.size()), row.text.data(), error.message.c_str(),
               wanted.c_str());
    }
  }
}

void check_table_sizes(void**) {
  assert_true(std::size(accepted) + std::size(refused) >= 150);
}

// Every beginning of a document that ends in a bracket is not a document.
void check_truncated(void**) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00e9\n",true,null,{"b":{}}],"c":"\ud83d\ude00 é"})";
  assert_true(parse_json(text, "t").has_value());
  for (size_t length = 0; length < text.size(); length++) {
    const auto document = parse_json(std::string_view(text).substr(0, length), "t");
    assert_false(document.has_value());
    assert_int_equal(document.error().code, REAPER_ERR_INVALID);
  }
}

// One byte of a document changed to every other value: refused as INVALID, or read and written the same twice. A defect
// (cJSON refusing what the scan accepts, or another count of numbers) would be INTERNAL.
void check_every_byte(void**) {
  const std::string text = R"({"a":[1,-20,3.5e+1,"x\u00e9\n"],"b":{"a":true,"c":null},"é":"\ud83d\ude00"})";
  size_t good = 0;
  for (size_t at = 0; at < text.size(); at++) {
    for (int byte = 0; byte < 256; byte++) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      const auto document = parse_json(changed, "t");
      if (!document) {
        assert_int_equal(document.error().code, REAPER_ERR_INVALID);
        json_test::assert_plain_message(document.error().message);
        continue;
      }
      good++;
      const std::string again = json_test::written_again(*document);
      const auto second = parse_json(again, "t");
      assert_true(second.has_value());
      assert_string_equal(json_test::written_again(*second).c_str(), again.c_str());
    }
  }
  assert_in_range(good, text.size(), text.size() * 255);
}

std::string nested(int depth, const std::string& open, const std::string& inside, const std::string& close) {
  std::string text;
  for (int i = 0; i < depth; i++) text += open;
  text += inside;
  for (int i = 0; i < depth; i++) text += close;
  return text;
}

void check_depth(void**) {
  assert_int_equal(json_max_depth, 64);
  assert_true(parse_json(nested(json_max_depth, "[", "", "]"), "t").has_value());
  assert_true(parse_json(nested(json_max_depth, "[", "1", "]"), "t").has_value());
  assert_true(parse_json(nested(json_max_depth - 1, "{\"a\":", "{}", "}"), "t").has_value());
  assert_true(parse_json(nested(json_max_depth / 2, "{\"a\":[", "0", "]}"), "t").has_value());
  // Depth counts what is open at once, not how much there is.
  std::string wide = "[";
  for (int i = 0; i < 1000; i++) wide += "[],{},";
  assert_true(parse_json(wide + "0]", "t").has_value());
  const std::string texts[] = {
      nested(json_max_depth + 1, "[", "", "]"),
      nested(json_max_depth, "[", "{}", "]"),
      nested(json_max_depth + 1, "{\"a\":", "0", "}"),
      nested(1000, "[", "", "]"),
      std::string(1 << 20, '['),
  };
  for (const std::string& text : texts) {
    const auto document = parse_json(text, "t");
    assert_false(document.has_value());
    assert_int_equal(document.error().code, REAPER_ERR_INVALID);
    assert_true(document.error().message.ends_with(": nested deeper than 64"));
  }
  const auto first = parse_json(texts[0], "t");
  assert_string_equal(first.error().message.c_str(), "t:1:65: nested deeper than 64");
}

void check_size(void**) {
  std::string text = "\"" + std::string(json_max_bytes - 2, 'a') + "\"";
  assert_int_equal(text.size(), size_t{16} << 20);
  const auto biggest = parse_json(text, "t");
  assert_true(biggest.has_value());
  assert_int_equal(biggest->string().value().size(), json_max_bytes - 2);
  text += ' ';
  const auto bigger = parse_json(text, "t");
  assert_false(bigger.has_value());
  assert_int_equal(bigger.error().code, REAPER_ERR_INVALID);
  assert_string_equal(bigger.error().stage.c_str(), "json");
  assert_string_equal(bigger.error().message.c_str(), "t: 16777217 bytes, the limit is 16777216");
}

// The name comes from the caller and may be a path with anything in it.
void check_name(void**) {
  const auto document = parse_json("[", "a\nb\xff");
  assert_string_equal(document.error().message.c_str(), "a\\x0ab\\xff:1:2: the text ends here, but a value is wanted");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(check_accepted),  cmocka_unit_test(check_refused),    cmocka_unit_test(check_table_sizes),
      cmocka_unit_test(check_truncated), cmocka_unit_test(check_every_byte), cmocka_unit_test(check_depth),
      cmocka_unit_test(check_size),      cmocka_unit_test(check_name),
  };
  return cmocka_run_group_tests_name("json", tests, nullptr, nullptr);
}
