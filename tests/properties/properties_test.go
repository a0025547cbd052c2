package properties

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "write docs/properties.md")

const tree = "../.."

// reviewedIgnored is the list of properties that may be ignored. Adding one is a decision to be reviewed here.
var reviewedIgnored = []string{
	"/process/user/username", // config.md, User: Windows only; a warning says so
}

// readTable runs the program that prints known_properties().
func readTable(t *testing.T) []row {
	t.Helper()
	program := os.Getenv("REAPER_PROPERTIES_DUMP")
	if program == "" {
		t.Fatal("REAPER_PROPERTIES_DUMP must name the program properties_dump of the build")
	}
	output, err := exec.Command(program).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	var rows []row
	for _, line := range strings.Split(strings.TrimSuffix(string(output), "\n"), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) != 4 {
			t.Fatalf("not four fields: %q", line)
		}
		rows = append(rows, row{fields[0], fields[1], fields[2], fields[3]})
	}
	return rows
}

func schemaTypes(t *testing.T) map[string]string {
	t.Helper()
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	types, err := readSchema(filepath.Join(strings.TrimSpace(string(output)), "schema"))
	if err != nil {
		t.Fatal(err)
	}
	if len(types) < 250 {
		t.Fatalf("only %d properties were found in the schema", len(types))
	}
	return types
}

func TestEveryPropertyOfTheSchemaHasARow(t *testing.T) {
	rows := map[string]row{}
	for _, r := range readTable(t) {
		if _, twice := rows[r.pattern]; twice {
			t.Errorf("%s has two rows", r.pattern)
		}
		rows[r.pattern] = r
	}
	types := schemaTypes(t)
	for pattern, kind := range types {
		r, ok := rows[pattern]
		switch {
		case !ok:
			t.Errorf("%s is in the schema but has no row in src/config/properties_*.cpp", pattern)
		case r.kind != kind:
			t.Errorf("%s is %s in the schema and %s in its row", pattern, kind, r.kind)
		}
	}
	for pattern := range rows {
		if _, ok := types[pattern]; !ok {
			t.Errorf("%s has a row but is not in the schema", pattern)
		}
	}
}

// jsonKind is the JSON type of a Go type as encoding/json writes it.
func jsonKind(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	default:
		return "number"
	}
}

// compareType walks the specification's Go types: a second, independent list of the properties.
func compareType(t *testing.T, rows map[string]row, kind reflect.Type, pattern string) {
	for kind.Kind() == reflect.Ptr {
		kind = kind.Elem()
	}
	if pattern != "" {
		r, ok := rows[pattern]
		if !ok {
			t.Errorf("%s is in specs-go but has no row", pattern)
			return
		}
		// os.FileMode and the like are numbers; so is everything else that is no container.
		if r.kind != jsonKind(kind) {
			t.Errorf("%s is %s in specs-go and %s in its row", pattern, jsonKind(kind), r.kind)
		}
		if otherPlatforms[pattern] {
			return
		}
	}
	switch kind.Kind() {
	case reflect.Struct:
		for i := 0; i < kind.NumField(); i++ {
			field := kind.Field(i)
			name := strings.Split(field.Tag.Get("json"), ",")[0]
			switch {
			case name == "" && field.Anonymous:
				compareType(t, rows, field.Type, pattern)
			case name != "" && name != "-":
				compareType(t, rows, field.Type, pattern+"/"+name)
			}
		}
	case reflect.Slice:
		compareType(t, rows, kind.Elem(), pattern+"/*")
	case reflect.Map:
		compareMap(t, rows, kind, pattern)
	}
}

// compareMap: the schema knows the names of some maps (timeOffsets), and then each has a row.
func compareMap(t *testing.T, rows map[string]row, kind reflect.Type, pattern string) {
	if _, free := rows[pattern+"/*"]; free {
		compareType(t, rows, kind.Elem(), pattern+"/*")
		return
	}
	found := false
	for name := range rows {
		member := strings.TrimPrefix(name, pattern+"/")
		if member != name && !strings.Contains(member, "/") {
			compareType(t, rows, kind.Elem(), name)
			found = true
		}
	}
	if !found {
		t.Errorf("%s is a map without a row for its members", pattern)
	}
}

func TestEveryFieldOfTheGoTypesHasARow(t *testing.T) {
	rows := map[string]row{}
	for _, r := range readTable(t) {
		rows[r.pattern] = r
	}
	compareType(t, rows, reflect.TypeOf(specs.Spec{}), "")
}

// isTest says whether the text of a test file has a test of this name.
func isTest(file, text, name string) bool {
	quoted := regexp.QuoteMeta(name)
	pattern := `\bcmocka_unit_test\w*\(` + quoted + `\b`
	if strings.HasSuffix(file, ".go") {
		pattern = `(?m)^func ` + quoted + `\(`
	}
	return regexp.MustCompile(pattern).MatchString(text)
}

func TestAppliedRowsNameTests(t *testing.T) {
	applied := 0
	for _, r := range readTable(t) {
		for _, test := range r.tests() {
			applied++
			parts := strings.Split(test, ":")
			if len(parts) != 2 {
				t.Errorf("%s: %q is not of the form FILE:TEST", r.pattern, test)
				continue
			}
			text, err := os.ReadFile(filepath.Join(tree, "tests", parts[0]))
			if err != nil {
				t.Errorf("%s: %v", r.pattern, err)
			} else if !isTest(parts[0], string(text), parts[1]) {
				t.Errorf("%s: tests/%s has no test %s", r.pattern, parts[0], parts[1])
			}
		}
	}
	if applied < 20 {
		t.Errorf("only %d tests are named", applied)
	}
}

func TestIgnoredRowsAreReviewed(t *testing.T) {
	var ignored []string
	for _, r := range readTable(t) {
		switch r.disposition {
		case "ignored":
			ignored = append(ignored, r.pattern)
			if r.note == "" {
				t.Errorf("%s is ignored without a reason", r.pattern)
			}
		case "applied", "refused", "container":
		default:
			t.Errorf("%s: unknown disposition %q", r.pattern, r.disposition)
		}
	}
	sort.Strings(ignored)
	if !reflect.DeepEqual(ignored, reviewedIgnored) {
		t.Errorf("ignored are\n%s\nreviewed are\n%s", strings.Join(ignored, "\n"), strings.Join(reviewedIgnored, "\n"))
	}
}

func TestDocumentIsCurrent(t *testing.T) {
	path := filepath.Join(tree, "docs", "properties.md")
	wanted := writeDocument(readTable(t))
	if *update {
		if err := os.WriteFile(path, []byte(wanted), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	current, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(current) != wanted {
		t.Error("docs/properties.md is not what the table says: write it anew with `go test . -update` in tests/properties")
	}
}
