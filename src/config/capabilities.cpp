// process.capabilities: names to bits, and what the kernel's rules make impossible.
#include <array>

#include "config/parse.h"
#include "host/facts.h"

namespace reaper {
namespace {

struct Element {
  int number;
  std::string name;
  std::string pointer;
};

struct Set {
  const char* name;
  uint64_t bits = 0;
  std::vector<Element> elements;
};

// The name that an unknown one was probably meant to be: "CHOWN", "cap_chown" and "CAP_CHWON" are CAP_CHOWN.
std::string nearest_capability(const std::string& name) {
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number) {
    std::string known = capability_name(number);
    if (capability_number(known) == number) names.push_back(std::move(known));
  }
  std::vector<std::string_view> candidates(names.begin(), names.end());
  std::string_view nearest = nearest_word("CAP_" + name, candidates);
  if (nearest.empty()) nearest = nearest_word(name, candidates);
  return std::string(nearest);
}

// An absent set is empty. config.md: what cannot be mapped to the kernel's is a warning, and SHOULD NOT fail.
Result<Set> read_set(const JsonCursor& object, const char* set_name, Notes& notes) {
  Set set{set_name, 0, {}};
  auto array = TRY(object.member(set_name));
  if (!array) return set;
  for (const JsonCursor& element : TRY(array->elements())) {
    std::string name;
    KEEP(notes.refusals, name, element.string());
    int number = capability_number(name);
    if (number < 0 || number > 63) {
      add_warning(notes, element.pointer(), [&] {
        return "unknown capability " + quoted(name) + " is left out" + did_you_mean(nearest_capability(name));
      });
      continue;
    }
    set.bits |= uint64_t{1} << number;
    set.elements.push_back({number, std::move(name), element.pointer()});
  }
  return set;
}

// The kernel raises nothing in ambient that is not in both (prctl(2), PR_CAP_AMBIENT_RAISE): a capability that cannot
// be granted, which the specification makes a warning. Debian 12's `runc spec` and `crun spec` both write such sets.
void drop_outside(Set& inner, const Set& outer, Notes& notes) {
  for (const Element& element : inner.elements) {
    if ((outer.bits >> element.number & 1) != 0 || (inner.bits >> element.number & 1) == 0) continue;
    inner.bits &= ~(uint64_t{1} << element.number);
    add_warning(notes, element.pointer, [&] {
      return element.name + " is in " + inner.name + " but not in " + outer.name +
             ", and the kernel does not grant it so: left out";
    });
  }
}

Status check_inside(const Set& inner, const Set& outer, Refusals& refusals) {
  for (const Element& element : inner.elements) {
    if ((outer.bits >> element.number & 1) != 0) continue;
    TRY(refusals.refuse(config_error(
        REAPER_ERR_INVALID, element.pointer,
        element.name + " is in " + inner.name + " but not in " + outer.name + ", which the kernel does not allow")));
  }
  return {};
}

}  // namespace

// capset(2): effective inside permitted. The bounding set limits none of the others: dropping from it leaves what is
// permitted, inheritable or ambient as it is (capabilities(7)), and cap_capset() only compares capabilities that are
// *added* to inheritable with it, while init has everything in inheritable that it may hand on. So sets outside
// bounding are legal and are applied as given.
Result<Capabilities> read_capabilities(const JsonCursor& object, Notes& notes) {
  Set bounding = TRY(read_set(object, "bounding", notes));
  Set effective = TRY(read_set(object, "effective", notes));
  Set inheritable = TRY(read_set(object, "inheritable", notes));
  Set permitted = TRY(read_set(object, "permitted", notes));
  Set ambient = TRY(read_set(object, "ambient", notes));
  TRY(check_inside(effective, permitted, notes.refusals));
  drop_outside(ambient, permitted, notes);
  drop_outside(ambient, inheritable, notes);
  return Capabilities{.bounding = bounding.bits,
                      .effective = effective.bits,
                      .inheritable = inheritable.bits,
                      .permitted = permitted.bits,
                      .ambient = ambient.bits};
}

}  // namespace reaper
