package properties

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// specification is the directory of the specification's text, schema and schema tests.
func specification(t *testing.T) string {
	t.Helper()
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.TrimSpace(string(output))
}

// judge gives a config.json to parse_config(): its code, and the whole answer.
func judge(t *testing.T, text string) (code, answer string) {
	t.Helper()
	program := os.Getenv("REAPER_CONFIG_JUDGE")
	if program == "" {
		t.Fatal("REAPER_CONFIG_JUDGE must name the program config_judge of the build")
	}
	command := exec.Command(program)
	command.Stdin = strings.NewReader(text)
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	answer = strings.TrimSpace(string(output))
	return strings.SplitN(answer, "\t", 2)[0], answer
}

// example is a block of JSON in the specification's text.
type example struct {
	file string
	line int
	text string
}

func (e example) String() string { return fmt.Sprintf("%s:%d", e.file, e.line) }

func readExamples(t *testing.T, path string) []example {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var examples []example
	for _, place := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatchIndex(text, -1) {
		line := 1 + bytes.Count(text[:place[2]], []byte("\n"))
		examples = append(examples, example{filepath.Base(path), line, string(text[place[2]:place[3]])})
	}
	return examples
}

// noConfigs are the examples that are no part of a config.json, or no JSON, by words of theirs.
var noConfigs = []struct{ words, reason string }{
	{`"fds": [`, "the container process state that a seccomp listener is sent"},
	{`"someapp.exe",`, "for Windows, and a comma too many"},
	{`"C:\\scratch",`, "for Windows, and a comma too many"},
	{"\"nodes\": \"2-3\"\n", "a comma is missing behind nodes"},
}

// sections are where the members of the examples of a file belong when they do not name it.
var sections = map[string]string{
	"config.md": "", "config-linux.md": "linux", "config-solaris.md": "solaris", "config-vm.md": "vm",
	"config-windows.md": "", "config-zos.md": "zos", "config-freebsd.md": "freebsd",
}

var ofResources = regexp.MustCompile(`^"(memory|cpu|blockIO|hugepageLimits|network|pids|rdma|unified)"`)

// document makes a config.json of an example.
func (e example) document() string {
	text := strings.TrimSuffix(strings.TrimSpace(e.text), ",")
	section := sections[e.file]
	switch {
	case strings.HasPrefix(text, "{"):
		text, section = strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}"), ""
	case strings.HasPrefix(text, `"linux"`):
		section = ""
	case e.file == "config-linux.md" && (ofResources.MatchString(text) || strings.Contains(text, `"allow"`) &&
		strings.HasPrefix(text, `"devices"`)):
		text = `"resources": {` + text + `}`
	}
	if section != "" {
		text = fmt.Sprintf("%q: {%s}", section, text)
	}
	if !strings.Contains(text, `"ociVersion"`) {
		text = `"ociVersion": "1.3.0", ` + text
	}
	return "{" + text + "}"
}

// What the specification itself shows is never called wrong: it runs, or this build cannot apply it.
func TestExamplesOfTheTextAreNeverInvalid(t *testing.T) {
	left := map[string]bool{}
	for _, no := range noConfigs {
		left[no.words] = true
	}
	read := 0
	for file := range sections {
		for _, e := range readExamples(t, filepath.Join(specification(t), file)) {
			excepted := false
			for _, no := range noConfigs {
				if strings.Contains(e.text, no.words) {
					excepted = true
					delete(left, no.words)
				}
			}
			if excepted {
				continue
			}
			read++
			wanted := regexp.MustCompile("^(OK|UNSUPPORTED)$")
			if e.document() == `{"ociVersion": "0.1.0"}` {
				wanted = regexp.MustCompile("^UNSUPPORTED$")
			}
			if code, answer := judge(t, e.document()); !wanted.MatchString(code) {
				t.Errorf("%s: %s\n%s", e, answer, e.document())
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("no example has these words any more: %v", left)
	}
	if read < 55 {
		t.Errorf("only %d examples were found", read)
	}
}

func schemaCases(t *testing.T, kind string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(specification(t), "schema", "test", "config", kind, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 5 {
		t.Fatalf("only %d %s cases of the schema were found", len(paths), kind)
	}
	cases := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases[filepath.Base(path)] = string(text)
	}
	return cases
}

func TestPositiveCasesOfTheSchemaAreNeverInvalid(t *testing.T) {
	for name, text := range schemaCases(t, "good") {
		if code, answer := judge(t, text); code != "OK" && code != "UNSUPPORTED" {
			t.Errorf("%s: %s", name, answer)
		}
	}
}

// refusedAsAWhole are negative cases whose mistake is a value in a section that this build has no reader for: it is
// refused, and not judged.
var refusedAsAWhole = map[string]string{
	"linux-hugepage.json":       "/linux/resources/hugepageLimits",
	"freebsd-vnet-disable.json": "/freebsd",
}

func TestNegativeCasesOfTheSchemaAreInvalid(t *testing.T) {
	for name, text := range schemaCases(t, "bad") {
		wanted := "INVALID"
		pointer, whole := refusedAsAWhole[name]
		if whole {
			wanted = "UNSUPPORTED\t" + pointer + "\t"
			// Its root is another one than the host's, which would be told first.
			text = strings.Replace(text, `"path": "rootfs"`, `"path": "/"`, 1)
		}
		if _, answer := judge(t, text); !strings.HasPrefix(answer, wanted) {
			t.Errorf("%s: %s", name, answer)
		}
	}
}
