// parse_config(): the order in which config.json is judged. What is wrong is told before what is not supported, so that
// nobody repairs a document twice.
#include "config/config.h"

#include "config/parse.h"

namespace reaper {

Result<JsonCursor> required_member(const JsonCursor& object, std::string_view name) {
  auto member = TRY(object.member(name));
  if (member) return std::move(*member);
  return fail(config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), name), "required, but missing"));
}

Result<Config> parse_config(std::string_view text) {
  auto document = TRY(parse_json(text, "config.json"));
  if (document.type() != JsonType::object)
    return fail(config_error(REAPER_ERR_INVALID, "",
                             "config.json must be an object, not " + std::string(json_type_name(document.type()))));
  Config config;
  Warnings warnings;
  // First of all: a document of another major version may have any shape.
  auto version = TRY(required_member(document, "ociVersion"));
  config.oci_version = TRY(version.string());
  TRY(check_version(version.pointer(), config.oci_version));
  auto refusal = TRY(walk_document(document, warnings));
  if (auto process = TRY(document.member("process"))) config.process = TRY(read_process(*process, warnings));
  if (auto annotations = TRY(document.member("annotations"))) config.annotations = TRY(read_annotations(*annotations));
  if (auto linux_section = TRY(document.member("linux")))
    if (auto namespaces = TRY(linux_section->member("namespaces")))
      config.namespaces = TRY(read_namespaces(*namespaces));
  if (auto root = TRY(document.member("root"))) {
    auto status = check_root(*root);
    if (!status && (status.error().code == REAPER_ERR_INVALID || !refusal)) return fail(std::move(status).error());
  }
  if (refusal) return fail(std::move(*refusal));
  config.warnings = take_warnings(std::move(warnings));
  return config;
}

}  // namespace reaper
