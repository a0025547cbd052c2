// Command twin copies what the package at the top and package purego have in common, which is all but the way to call
// the library, from the one to the other. A test compares. go generate runs it in the directory of go.mod.
package main

import (
	"log"
	"os"
	"strings"
)

// Files are copied; tests of the package are links, for nobody imports them.
var Files = []string{"container.go", "error.go", "exec.go", "options.go", "reaper.go", "report.go", "slog.go", "example_test.go"}

const path = `reaper "reaper/bindings/go"`

// Twin is a file's text for package purego.
func Twin(name, text string) string {
	head := "// Code generated from ../" + name + " by internal/twin. DO NOT EDIT.\n\n"
	return head + strings.Replace(text, path, `reaper "reaper/bindings/go/purego"`, 1)
}

func main() {
	for _, name := range Files {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile("purego/"+name, []byte(Twin(name, string(text))), 0o644)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
