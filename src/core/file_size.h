// The limit of what this process may write into one file.
#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace reaper {

// Whether a file, of memory too, may become this large. A write beyond RLIMIT_FSIZE sends SIGXFSZ, whose default ends
// the host: what does not fit is not tried. Where the limit cannot be asked for, everything fits.
inline bool fits_file_size_limit(uint64_t size) {
  rlimit limit = {};
  return getrlimit(RLIMIT_FSIZE, &limit) != 0 || size <= limit.rlim_cur;
}

}  // namespace reaper
