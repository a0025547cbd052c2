package properties

import (
	"fmt"
	"strings"
)

// row is one line of known_properties().
type row struct {
	pattern, kind, disposition, note string
}

// tests are the tests that an applied row names: "unit/test_a.cpp:one, integration/b_test.go:TestTwo; a remark".
func (r row) tests() []string {
	if r.disposition != "applied" {
		return nil
	}
	return strings.Split(strings.SplitN(r.note, "; ", 2)[0], ", ")
}

// remark is what the note says besides tests.
func (r row) remark() string {
	if r.disposition != "applied" {
		return r.note
	}
	if parts := strings.SplitN(r.note, "; ", 2); len(parts) == 2 {
		return parts[1]
	}
	return ""
}

const documentHead = `# What Reaper does with each property of config.json

<!-- Generated from src/config/properties_*.cpp by tests/properties (go test . -update). Do not edit. -->

Every property of the JSON schema of the OCI runtime specification 1.3 stands here. In a pattern, ` + "`*`" + ` is an index
of an array or a free name. A known property with a value of another JSON type is an error (INVALID); so is ` + "`null`" + `.

- **applied**: done as the specification says, or create fails. The test that shows it is named.
- **refused**: create fails with UNSUPPORTED and the property's JSON pointer, unless the value asks for nothing: an empty
  array, object or string, ` + "`false`" + `, or an object of such values only. What stands in an array or under a free name
  always asks.
- **ignored**: reviewed, with the reason.
- **members**: an object or array that means nothing by itself.

Properties that are not here are unknown. They are ignored with a warning, as the specification demands, and are errors
in strict mode.

`

// writeDocument makes docs/properties.md.
func writeDocument(rows []row) string {
	var text strings.Builder
	text.WriteString(documentHead)
	count := map[string]int{}
	for _, r := range rows {
		count[r.disposition]++
	}
	fmt.Fprintf(&text, "%d properties: %d applied, %d refused, %d ignored, %d with members only.\n\n", len(rows),
		count["applied"], count["refused"], count["ignored"], count["container"])
	text.WriteString("| property | type | Reaper | remark |\n|---|---|---|---|\n")
	for _, r := range rows {
		disposition := r.disposition
		if disposition == "container" {
			disposition = "members"
		}
		var remarks []string
		if remark := r.remark(); remark != "" {
			remarks = append(remarks, remark)
		}
		for _, test := range r.tests() {
			remarks = append(remarks, "`"+test+"`")
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", r.pattern, r.kind, disposition, strings.Join(remarks, "; "))
	}
	return text.String()
}
