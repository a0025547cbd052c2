// Which security modules of this kernel take a label for a process.
#include <linux/magic.h>
#include <sys/vfs.h>

#include "host/facts.h"
#include "host/proc_file.h"

namespace reaper {

LabelFacts read_label_facts() {
  LabelFacts facts;
  const auto enabled = read_proc_file("/sys/module/apparmor/parameters/enabled");
  facts.apparmor = enabled.has_value() && enabled->starts_with('Y');
  struct statfs file_system = {};
  facts.selinux = statfs("/sys/fs/selinux", &file_system) == 0 &&
                  static_cast<uint64_t>(file_system.f_type) == static_cast<uint64_t>(SELINUX_MAGIC);
  return facts;
}

}  // namespace reaper
