// list: the containers of the state directory, for people (table) and programs (json, --quiet).
#include <cstring>
#include <vector>

#include "commands.h"
#include "handles.h"
#include "listing.h"
#include "report.h"

namespace reaper::cli {

int command_list(const Arguments& arguments) {
  Runtime runtime;
  if (int code = open_runtime(arguments, runtime)) return code;
  char* json = nullptr;
  reaper_error* error = nullptr;
  if (reaper_list(runtime.get(), &json, &error) != REAPER_OK) return fail(error);
  Text text(json);
  bool as_json = arguments.has(Opt::format) && strcmp(arguments.text(Opt::format), "json") == 0;
  if (as_json && !arguments.has(Opt::quiet)) return print_line(text.get());
  std::vector<ListRow> rows;
  if (!read_listing(text.get(), rows)) return fail("the library's list has a form that this program does not know");
  if (!arguments.has(Opt::quiet)) return print(format_table(rows));
  std::string ids;
  for (const ListRow& row : rows) (ids += row.id) += '\n';
  return print(ids);
}

}  // namespace reaper::cli
