// Libraries of the system that are loaded when they are wanted, and not linked.
#pragma once

#include <string>
#include <string_view>

namespace reaper {

// Where they are looked for, with colons (cmake/Loader.cmake): the directories of the machine of the build, or, in what
// is built for others, those that distributions have.
extern const std::string_view system_library_directories;

// The path of a library: in the first directory that has it, else in the last one. Never its name alone, which
// dlopen(3) would look for in LD_LIBRARY_PATH, and that may be anybody's directory.
std::string system_library(std::string_view name);

// The same, in other directories.
std::string library_in(std::string_view directories, std::string_view name);

}  // namespace reaper
