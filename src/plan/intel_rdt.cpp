// linux.intelRdt: a class of service of resctrl, into which the library puts the process.
#include "plan/concerns.h"

namespace reaper::planning {

Result<ResctrlPlace> plan_resctrl(const IntelRdt& rdt, const ProcessFacts& facts, const std::string& id) {
  if (!facts.resctrl)
    return fail(plan_error(REAPER_ERR_UNSUPPORTED, "/linux/intelRdt",
                           "no resctrl file system is mounted here that this process can reach"));
  ResctrlPlace place;
  place.mount_point = *facts.resctrl;
  place.own = rdt.clos_id.empty();
  if (place.own)
    place.name = id;
  else if (rdt.clos_id != "/")
    place.name = rdt.clos_id;
  for (const IntelRdt::Line& line : rdt.lines) {
    place.lines.push_back(line.text);
    place.pointers.push_back(line.pointer);
  }
  if (rdt.monitoring) place.group = id;
  return place;
}

Operation resctrl_operation(const ResctrlPlace& place) {
  Operation operation{wire::Op::resctrl, "/linux/intelRdt", {1}, {place.directory()}};
  if (!place.group.empty()) operation.strings.push_back(place.group_directory());
  operation.numbers[0] = operation.strings.size();
  return operation;
}

}  // namespace reaper::planning
