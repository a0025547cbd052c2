// parse_config(): the order in which config.json is judged. What is wrong is told before what is not supported, so that
// nobody repairs a document twice.
#include "config/config.h"

#include <algorithm>

#include "config/known_seccomp.h"
#include "config/parse.h"

namespace reaper {

Result<JsonCursor> required_member(const JsonCursor& object, std::string_view name) {
  auto member = TRY(object.member(name));
  if (member) return std::move(*member);
  return fail(config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), name), "required, but missing"));
}

namespace {

Status read_version(const JsonCursor& document, Notes& notes, Config& config) {
  auto version = TRY(required_member(document, "ociVersion"));
  config.oci_version = TRY(version.string());
  auto status = check_version(version.pointer(), config.oci_version);
  // A document of another major version may have any shape: nothing else can be said of it.
  if (!status && status.error().code == REAPER_ERR_UNSUPPORTED) return status;
  return notes.refusals.take(std::move(status));
}

Status read_linux(const JsonCursor& section, Notes& notes, Config& config, std::vector<Error>& unsupported) {
  Refusals& refusals = notes.refusals;
  if (auto namespaces = TRY(section.member("namespaces")))
    KEEP(refusals, config.namespaces, read_namespaces(*namespaces, notes));
  if (auto mappings = TRY(section.member("uidMappings")))
    KEEP(refusals, config.uid_mappings, read_id_mappings(*mappings, refusals));
  if (auto mappings = TRY(section.member("gidMappings")))
    KEEP(refusals, config.gid_mappings, read_id_mappings(*mappings, refusals));
  if (auto parameters = TRY(section.member("sysctl")))
    KEEP(refusals, config.sysctl, read_sysctl(*parameters, refusals));
  auto offsets = TRY(section.member("timeOffsets"));
  if (offsets && offsets->type() == JsonType::object) {
    if (auto clock = TRY(offsets->member("monotonic"))) KEEP(refusals, config.monotonic, read_time_offset(*clock));
    if (auto clock = TRY(offsets->member("boottime"))) KEEP(refusals, config.boottime, read_time_offset(*clock));
  }
  if (auto devices = TRY(section.member("devices"))) KEEP(refusals, config.devices, read_devices(*devices, refusals));
  if (auto devices = TRY(section.member("netDevices")))
    KEEP(refusals, config.net_devices, read_net_devices(*devices, refusals));
  if (auto label = TRY(section.member("mountLabel"))) KEEP(refusals, config.mount_label, label->string());
  if (auto paths = TRY(section.member("maskedPaths"))) KEEP(refusals, config.masked_paths, read_inner_paths(*paths));
  if (auto paths = TRY(section.member("readonlyPaths")))
    KEEP(refusals, config.readonly_paths, read_inner_paths(*paths));
  if (auto propagation = TRY(section.member("rootfsPropagation")))
    KEEP(refusals, config.rootfs_propagation, read_propagation(*propagation));
  if (auto personality = TRY(section.member("personality")))
    KEEP(refusals, config.personality, read_personality(*personality));
  if (auto policy = TRY(section.member("memoryPolicy")))
    KEEP(refusals, config.memory_policy, read_memory_policy(*policy));
  if (auto rdt = TRY(section.member("intelRdt"))) KEEP(refusals, config.intel_rdt, read_intel_rdt(*rdt));
  if (auto seccomp = TRY(section.member("seccomp")); seccomp && !config.seccomp)
    KEEP(refusals, config.seccomp, read_seccomp(*seccomp, refusals));
  if (auto path = TRY(section.member("cgroupsPath"))) {
    auto cgroups_path = read_cgroups_path(*path);
    if (!cgroups_path && cgroups_path.error().code == REAPER_ERR_UNSUPPORTED)
      unsupported.push_back(std::move(cgroups_path).error());
    else
      KEEP(refusals, config.cgroups_path, std::move(cgroups_path));
  }
  return {};
}

Status read_config(const JsonCursor& document, Notes& notes, Config& config) {
  Refusals& refusals = notes.refusals;
  if (document.type() != JsonType::object)
    return fail(config_error(REAPER_ERR_INVALID, "",
                             "config.json must be an object, not " + std::string(json_type_name(document.type()))));
  auto version = read_version(document, notes, config);
  if (!version && version.error().code == REAPER_ERR_UNSUPPORTED) return version;
  TRY(refusals.take(std::move(version)));
  auto unsupported = TRY(walk_document(document, notes));
  if (auto process = TRY(document.member("process"))) {
    KEEP(refusals, config.process, read_process(*process, notes));
    JsonWriter text;
    TRY(copy_json(text, *process));
    config.process_json = text.take();
  }
  if (auto hooks = TRY(document.member("hooks"))) KEEP(refusals, config.hooks, read_hooks(*hooks, refusals));
  if (auto annotations = TRY(document.member("annotations")))
    KEEP(refusals, config.annotations, read_annotations(*annotations, notes));
  auto linux_section = TRY(document.member("linux"));
  if (linux_section && linux_section->type() == JsonType::object)
    TRY(read_linux(*linux_section, notes, config, unsupported));
  if (auto name = TRY(document.member("hostname"))) KEEP(refusals, config.hostname, read_uts_name(*name));
  if (auto name = TRY(document.member("domainname"))) KEEP(refusals, config.domainname, read_uts_name(*name));
  if (auto root = TRY(document.member("root"))) KEEP(refusals, config.root, read_root(*root));
  if (auto mounts = TRY(document.member("mounts")))
    KEEP(refusals, config.mounts, read_mounts(*mounts, refusals, unsupported));
  for (Error& error : unsupported) TRY(refusals.refuse(std::move(error)));
  return {};
}

constexpr std::string_view seccomp_place = "/linux/seccomp";

// The document, and in `seccomp` what is known of it already.
Result<JsonCursor> read_document(std::string_view text, KnownSeccomp* known, std::shared_ptr<const Seccomp>& seccomp) {
  if (known == nullptr) return parse_json(text, "config.json");
  const KnownSeccomp::Sections sections = known->all();
  std::vector<std::string_view> texts;
  texts.reserve(sections.size());
  for (const auto& section : sections) texts.push_back(section->text);
  auto document = TRY(parse_json(text, "config.json", texts));
  const auto found = document.known();
  if (!found) return document;
  // Somewhere else it means something else.
  if (found->pointer != seccomp_place) return parse_json(text, "config.json");
  known->use(sections[found->which]);
  seccomp = sections[found->which]->seccomp;
  return document;
}

// A section that has something to say is read again, to say it again.
void remember_seccomp(KnownSeccomp& known, const JsonCursor& document, const Notes& notes, const Config& config) {
  const bool warned = notes.left_out > 0 || std::ranges::any_of(notes.warnings, [](const Warning& warning) {
                        return warning.pointer.starts_with(seccomp_place);
                      });
  if (warned || !config.seccomp) return;
  const auto section = document.member("linux").value()->member("seccomp").value();
  known.add(section->section_text(), config.seccomp);
}

}  // namespace

Result<Config> parse_config(std::string_view text, KnownSeccomp* known) {
  Config config;
  auto document = TRY(read_document(text, known, config.seccomp));
  Notes notes;
  TRY(read_config(document, notes, config));
  if (known != nullptr) remember_seccomp(*known, document, notes, config);
  config.warnings = take_warnings(notes);
  return config;
}

Diagnosis diagnose_config(std::string_view text) {
  Diagnosis diagnosis;
  Notes notes;
  notes.refusals.collect();
  auto document = parse_json(text, "config.json");
  Status status = document ? read_config(*document, notes, diagnosis.config) : fail(std::move(document).error());
  (void)notes.refusals.take(std::move(status));
  diagnosis.errors = notes.refusals.noted();
  diagnosis.left_out = notes.refusals.left_out();
  diagnosis.config.warnings = take_warnings(notes);
  return diagnosis;
}

}  // namespace reaper
