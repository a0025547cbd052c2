// The pause container of a pod, built in (docs/pause.md).
#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

// What containerd's CRI plugin and CRI-O say of a pod's sandbox.
constexpr struct {
  std::string_view name, value;
} sandbox_annotations[] = {{"io.kubernetes.cri.container-type", "sandbox"},
                           {"io.kubernetes.cri-o.ContainerType", "sandbox"}};

bool is_pause_program(const std::vector<std::string>& args) {
  return args.size() == 1 && (args[0] == "/pause" || args[0] == "pause");
}

}  // namespace

std::string pause_annotation(const Config& config) {
  if (!config.process.has_value() || !is_pause_program(config.process->args)) return "";
  for (const auto& known : sandbox_annotations) {
    const auto found = config.annotations.find(std::string(known.name));
    if (found != config.annotations.end() && found->second == known.value)
      return pointer_join("/annotations", known.name);
  }
  return "";
}

Operation plan_pause(const Process& process, const std::string& annotation) {
  return Operation{wire::Op::pause, annotation, {}, {process.args[0]}};
}

}  // namespace reaper::planning

namespace reaper {

std::vector<std::string> annotations_in_force() {
  std::vector<std::string> names;
  for (const auto& known : planning::sandbox_annotations) names.emplace_back(known.name);
  return names;
}

}  // namespace reaper
