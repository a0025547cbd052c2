// Reads a config.json on standard input and says what parse_config() says: "CODE POINTER MESSAGE" between tabs, or
// "OK".
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include "config/config.h"

int main() {
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  const auto config = reaper::parse_config(text);
  if (config.has_value()) {
    puts("OK");
    return 0;
  }
  const reaper::Error& error = config.error();
  const char* code = error.code == REAPER_ERR_INVALID ? "INVALID" : "UNSUPPORTED";
  if (error.code != REAPER_ERR_INVALID && error.code != REAPER_ERR_UNSUPPORTED) code = "NEITHER";
  printf("%s\t%s\t%s\n", code, error.pointer.c_str(), error.message.c_str());
  return 0;
}
