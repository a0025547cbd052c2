// SHA-256 (FIPS 180-4), for names of things by their content. The kernel's (AF_ALG) is not there everywhere, and a
// library for forty lines would be one more that every process loads; docs/decisions/0013-seccomp.md says more.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace reaper {

std::array<uint8_t, 32> sha256(std::string_view bytes);
// In 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace reaper
