// Fuzzing with any compiler: every file of the directories in argv as it is, then cut, flipped and mixed a fixed number
// of times. The same changes in every run: a failure can be repeated. Where a sanitizer makes an input cost fifty times
// as much, a large corpus has fewer changes of each file: libFuzzer goes further there (scripts/lib/fuzz.sh).
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"

namespace {

constexpr size_t changes_per_file = 400;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t most_inputs = 20'000;
#else
constexpr size_t most_inputs = SIZE_MAX;
#endif

// xorshift64*
struct Dice {
  uint64_t state;
  size_t below(size_t limit) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return limit == 0 ? 0 : static_cast<size_t>((state * 0x2545f4914f6cdd1dU) >> 32) % limit;
  }
};

void feed(const std::string& bytes) {
  // A copy of exactly this size, so that AddressSanitizer sees the first byte behind it.
  std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

std::string changed(std::string bytes, const std::vector<std::string>& files, Dice& dice) {
  const size_t steps = 1 + dice.below(4);
  for (size_t i = 0; i < steps; ++i) {
    const size_t at = dice.below(bytes.size() + 1);
    switch (dice.below(6)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice.below(8)));
        break;
      case 1:
        bytes.insert(at, 1, static_cast<char>(dice.below(256)));
        break;
      case 2:
        bytes.erase(at, 1 + dice.below(8));
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4: {
        const std::string& other = files[dice.below(files.size())];
        const size_t from = dice.below(other.size() + 1);
        bytes.insert(at, other.substr(from, dice.below(64)));
        break;
      }
      default: {
        static constexpr uint32_t numbers[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff, 0x100};
        if (at + 4 <= bytes.size()) memcpy(bytes.data() + at, &numbers[dice.below(std::size(numbers))], 4);
      }
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      // tests/data/plan has more than configs.
      const auto kind = entry.path().extension();
      if (!entry.is_regular_file() || kind == ".txt" || kind == ".facts" || kind == ".plan" || kind == ".md") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  if (files.empty()) {
    fprintf(stderr, "no corpus\n");
    return 1;
  }
  std::sort(files.begin(), files.end());
  feed("");
  const size_t changes = std::min(changes_per_file, most_inputs / files.size());
  Dice dice = {0x9e3779b97f4a7c15U};
  for (const std::string& bytes : files) {
    feed(bytes);
    for (size_t i = 0; i < changes; ++i) feed(changed(bytes, files, dice));
  }
  printf("%zu files, %zu inputs\n", files.size(), files.size() * (changes + 1) + 1);
  return 0;
}
