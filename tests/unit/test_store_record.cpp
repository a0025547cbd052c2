// state.json: the round trip, and every way in which it cannot be believed.
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "store/files.h"
#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

// A frame that is right in every way, around any record.
std::string framed(const std::string& record, const std::string& version = "1") {
  return "{\"version\":" + version + ",\"length\":" + std::to_string(record.size()) + ",\"checksum\":\"" +
         hex16(fnv1a(record, fnv1a(version + "\n"))) + "\",\"record\":" + record + "}";
}

std::string body_of(const std::string& text) {
  const size_t at = text.find(",\"record\":") + strlen(",\"record\":");
  return text.substr(at, text.size() - at - 1);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) fail_msg("no %s in %s", from.c_str(), text.c_str());
  return text.replace(at, from.size(), to);
}

void assert_code(const std::string& text, int code) {
  const auto decoded = decode_record(text);
  if (decoded.has_value()) fail_msg("believed: %.300s", text.c_str());
  if (decoded.error().code != code) fail_msg("%s for %.300s", decoded.error().message.c_str(), text.c_str());
  assert_true(decoded.error().message.starts_with("state.json "));
  assert_string_equal(decoded.error().stage.c_str(), "record");
}

void assert_equal(const Record& a, const Record& b) {
  assert_string_equal(a.id.c_str(), b.id.c_str());
  assert_string_equal(a.oci_version.c_str(), b.oci_version.c_str());
  assert_string_equal(a.bundle.c_str(), b.bundle.c_str());
  assert_true(a.annotations == b.annotations);
  assert_string_equal(a.created.c_str(), b.created.c_str());
  assert_int_equal(a.owner_uid, b.owner_uid);
  assert_true(a.init == b.init);
  assert_true(a.supervisor == b.supervisor);
  assert_int_equal(a.has_process, b.has_process);
  assert_string_equal(a.hooks_json.c_str(), b.hooks_json.c_str());
  assert_string_equal(a.credentials_json.c_str(), b.credentials_json.c_str());
  assert_string_equal(a.warnings_json.c_str(), b.warnings_json.c_str());
  assert_string_equal(a.cgroups_json.c_str(), b.cgroups_json.c_str());
  assert_string_equal(a.namespaces_json.c_str(), b.namespaces_json.c_str());
}

void every_field_comes_back(void**) {
  assert_equal(decode_record(encode_record(whole_record("web"))).value(), whole_record("web"));
  Record other = whole_record("b");
  other.has_process = true;
  other.owner_uid = 0;
  other.annotations.clear();
  other.bundle = "/";
  other.supervisor = identity_of(4710);
  other.init = {.pid = 2147483647, .start_time = 0, .boot_id = "a", .pid_namespace = 0, .time_namespace = UINT64_MAX};
  other.hooks_json = R"({"poststop":[{"path":"/a","args":["a","\""],"env":[],"timeout":9223372036854775807}]})";
  other.credentials_json = "{}";
  other.warnings_json = "[]";
  other.cgroups_json = R"({"made":["/a"]})";
  other.namespaces_json = R"([{"type":"pid"},{"type":"network","path":"/run/netns/a"}])";
  other.exec_json = R"({"process":{"args":["a"],"unknown":1.50e3},"keyring":true})";  // what config.json said
  assert_equal(decode_record(encode_record(other)).value(), other);
  assert_string_equal(decode_record(encode_record(other)).value().exec_json.c_str(), other.exec_json.c_str());
  Record unset = other;  // a runtime without credentials or warnings to tell
  unset.credentials_json.clear();
  unset.warnings_json.clear();
  assert_equal(decode_record(encode_record(unset)).value(), other);
}

void the_text_is_as_documented(void**) {
  Record record = whole_record("web");
  record.bundle = "/b";
  record.annotations = {{"k", "v"}};
  record.credentials_json = "{}";
  record.warnings_json = "[]";
  record.init.start_time = 99;
  assert_string_equal(
      body_of(encode_record(record)).c_str(),
      R"({"id":"web","ociVersion":"1.3.0","bundle":"/b","annotations":{"k":"v"},)"
      R"("created":"2026-01-02T03:04:05.678901234Z","ownerUid":4294967294,"init":{"pid":4711,"startTime":99,)"
      R"("bootId":"5b2c5a9e-3c0e-4d1c-9a4c-9f6f0d3f0a11","pidNamespace":4026531836,"timeNamespace":4026531834},)"
      R"("hasProcess":false,"credentials":{},"warnings":[]})");
  assert_string_equal(encode_record(record).c_str(), framed(body_of(encode_record(record))).c_str());
  // The constants of FNV-1a, against its published test vectors.
  assert_string_equal(hex16(fnv1a("")).c_str(), "cbf29ce484222325");
  assert_string_equal(hex16(fnv1a("foobar")).c_str(), "85944171f73967e8");
}

void every_flipped_bit_is_noticed(void**) {
  const std::string text = encode_record(whole_record("web"));
  for (size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      assert_code(damaged, REAPER_ERR_CORRUPT);
    }
  }
}

void every_length_but_its_own_is_noticed(void**) {
  const std::string text = encode_record(whole_record("web"));
  for (size_t length = 0; length < text.size(); ++length) assert_code(text.substr(0, length), REAPER_ERR_CORRUPT);
  for (const char* tail : {"}", "\n", " ", "x", "{}"}) assert_code(text + tail, REAPER_ERR_CORRUPT);
  assert_code(text + std::string(1, '\0'), REAPER_ERR_CORRUPT);
  assert_code(std::string(text.size(), '\0'), REAPER_ERR_CORRUPT);
  assert_code(text + text, REAPER_ERR_CORRUPT);
  assert_code("\n" + text, REAPER_ERR_CORRUPT);
  assert_code("\xef\xbb\xbf" + text, REAPER_ERR_CORRUPT);
}

void broken_frames_are_noticed(void**) {
  const std::string text = encode_record(whole_record("web"));
  const std::string length = "\"length\":" + std::to_string(body_of(text).size());
  for (const char* wrong : {"", "{}", "[]", "null", "1", "\"\"", "{\"version\":1}", "{\"version\":1,\"length\":0}",
                            "{\"version\":1,\"length\":0,\"checksum\":\"\"", "{\"id\":\"web\"}"}) {
    assert_code(wrong, REAPER_ERR_CORRUPT);
  }
  for (const char* number : {"\"length\":0", "\"length\":-1", "\"length\":1e3", "\"length\":99999999999999999999",
                             "\"length\":4294967295", "\"length\":4294967296", "\"length\":null", "\"length\":"}) {
    assert_code(replaced(text, length, number), REAPER_ERR_CORRUPT);
  }
  assert_code(replaced(text, length, "\"length\":0" + length.substr(9)), REAPER_ERR_CORRUPT);
  for (const char* version : {"01", "-1", "1.0", "\"1\"", "", "99999999999", "0", "null"}) {
    assert_code(framed(body_of(text), version), REAPER_ERR_CORRUPT);
  }
}

void newer_versions_say_so(void**) {
  const std::string body = body_of(encode_record(whole_record("web")));
  for (const char* version : {"2", "3", "10", "4294967295"}) {
    assert_code(framed(body, version), REAPER_ERR_UNSUPPORTED);
    assert_code(framed(R"({"quite":"different"})", version), REAPER_ERR_UNSUPPORTED);
    assert_non_null(strstr(decode_record(framed(body, version)).error().message.c_str(), "newer version of Reaper"));
  }
  // Only when all of it is there: a damaged version is damage.
  assert_code(replaced(encode_record(whole_record("web")), "\"version\":1", "\"version\":2"), REAPER_ERR_CORRUPT);
}

void unknown_members_are_ignored(void**) {
  const std::string body = body_of(encode_record(whole_record("web")));
  const std::string more = replaced(body, "\"id\":", "\"later\":{\"a\":[1,2.5]},\"id\":");
  const std::string inner = replaced(more, "\"pid\":", "\"also\":null,\"pid\":");
  assert_equal(decode_record(framed(inner)).value(), whole_record("web"));
}

// Whole frames, right checksums, and a record that is wrong.
void wrong_records_are_noticed(void**) {
  const std::string body = body_of(encode_record(whole_record("web")));
  const std::string boot = "\"5b2c5a9e-3c0e-4d1c-9a4c-9f6f0d3f0a11\"";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"\"id\":\"web\"", "\"id\":\"../web\""},
      {"\"id\":\"web\"", "\"id\":\"\""},
      {"\"id\":\"web\"", "\"id\":7"},
      {"\"id\":\"web\"", "\"ID\":\"web\""},
      {"\"id\":\"web\",", ""},
      {"\"id\":\"web\"", "\"id\":\"web\",\"id\":\"web\""},
      {"\"ociVersion\":\"1.3.0\"", "\"ociVersion\":1.3"},
      {"\"bundle\":\"/", "\"bundle\":\""},
      {"\"bundle\":\"/", "\"bundle\":\"./"},
      {"\"annotations\":{", "\"annotations\":[{"},
      {"\"empty\":\"\"", "\"empty\":null"},
      {"\"empty\":\"\"", "\"empty\":1"},
      {"\"ownerUid\":4294967294", "\"ownerUid\":4294967296"},
      {"\"ownerUid\":4294967294", "\"ownerUid\":-1"},
      {"\"ownerUid\":4294967294", "\"ownerUid\":1e3"},
      {"\"ownerUid\":4294967294", "\"ownerUid\":1.0"},
      {"\"ownerUid\":4294967294", "\"ownerUid\":\"0\""},
      {"\"ownerUid\":4294967294", "\"ownerUid\":007"},
      {"\"ownerUid\":4294967294", "\"ownerUid\":null"},
      {"\"pid\":4711", "\"pid\":0"},
      {"\"pid\":4711", "\"pid\":-1"},
      {"\"pid\":4711", "\"pid\":2147483648"},
      {"\"pid\":4711", "\"pid\":4294967297"},
      {"\"pid\":4711", "\"pid\":99999999999999999999999999"},
      {"\"pid\":4711", "\"pid\":4711.0"},
      {"\"startTime\":18446744073709551615", "\"startTime\":18446744073709551616"},
      {"\"startTime\":18446744073709551615", "\"startTime\":-0"},
      {"\"startTime\":18446744073709551615,", ""},
      {boot, "\"\""},
      {boot, "\"a b\""},
      {boot, "\"a\\nb\""},
      {boot, "[]"},
      {"\"pidNamespace\":4026531836", "\"pidNamespace\":true"},
      {"\"timeNamespace\":4026531834", "\"timeNamespace\":{}"},
      {"\"init\":{", "\"begin\":{"},
      {"\"hasProcess\":false", "\"hasProcess\":0"},
      {"\"hasProcess\":false", "\"hasProcess\":\"false\""},
      {"\"hasProcess\":false,", ""},
      {"\"credentials\":{", "\"credentials\":[],\"was\":{"},
      {"\"warnings\":[", "\"warnings\":{},\"were\":["},
      {"\"warnings\":[", "\"were\":["},
      {"\"uid\":0", "\"uid\":1.5"},
      {"\"1.3.0\"", "\"1.3.0"},
      {"\"1.3.0\"", "\"\\u0000\""},
      {"\"1.3.0\"", "\"\\ud800\""},
      {"\"1.3.0\"", "\"\xff\""},
      {"{", "["},
  };
  for (const auto& [from, to] : table) assert_code(framed(replaced(body, from, to)), REAPER_ERR_CORRUPT);
  for (const char* other : {"null", "[]", "\"\"", "0", "{}", "", " ", "{", "{}{}"}) {
    assert_code(framed(other), REAPER_ERR_CORRUPT);
  }
  std::string deep(100, '[');
  deep += std::string(100, ']');
  assert_code(framed(replaced(body, "\"warnings\":[", "\"warnings\":[" + deep + ",")), REAPER_ERR_CORRUPT);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_field_comes_back),       cmocka_unit_test(the_text_is_as_documented),
      cmocka_unit_test(every_flipped_bit_is_noticed), cmocka_unit_test(every_length_but_its_own_is_noticed),
      cmocka_unit_test(broken_frames_are_noticed),    cmocka_unit_test(newer_versions_say_so),
      cmocka_unit_test(unknown_members_are_ignored),  cmocka_unit_test(wrong_records_are_noticed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
