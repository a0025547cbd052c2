// Package properties compares the table in src/config with the OCI runtime specification: its JSON schema and its Go
// types. The table decides what Reaper applies, refuses and ignores, so a property that is missing from it would be
// taken for an unknown name and ignored.
package properties

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// otherPlatforms are the sections that one row stands for as a whole.
var otherPlatforms = map[string]bool{
	"/windows": true, "/solaris": true, "/vm": true, "/zos": true, "/freebsd": true,
}

type node = map[string]interface{}

// schema is the specification's directory of JSON schema files.
type schema struct {
	directory string
	files     map[string]node
	types     map[string]string // pattern -> JSON type
}

// readSchema returns the JSON type of every property of config.json, by pattern: "/process/rlimits/*/type".
func readSchema(directory string) (map[string]string, error) {
	s := &schema{directory: directory, files: map[string]node{}, types: map[string]string{}}
	root, err := s.file("config-schema.json")
	if err != nil {
		return nil, err
	}
	if err := s.walk("config-schema.json", root, ""); err != nil {
		return nil, err
	}
	return s.types, nil
}

func (s *schema) file(name string) (node, error) {
	if known, ok := s.files[name]; ok {
		return known, nil
	}
	text, err := os.ReadFile(filepath.Join(s.directory, name))
	if err != nil {
		return nil, err
	}
	var parsed node
	if err := json.Unmarshal(text, &parsed); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.files[name] = parsed
	return parsed, nil
}

// resolve follows "$ref" and says which file the result stands in.
func (s *schema) resolve(file string, n node) (string, node, error) {
	for {
		reference, ok := n["$ref"].(string)
		if !ok {
			return file, n, nil
		}
		parts := strings.SplitN(reference, "#", 2)
		if len(parts) != 2 {
			return "", nil, fmt.Errorf("%s: $ref %q has no fragment", file, reference)
		}
		if parts[0] != "" {
			file = parts[0]
		}
		target, err := s.file(file)
		if err != nil {
			return "", nil, err
		}
		for _, token := range strings.Split(strings.Trim(parts[1], "/"), "/") {
			next, ok := target[token].(node)
			if !ok {
				return "", nil, fmt.Errorf("%s: $ref %q leads nowhere", file, reference)
			}
			target = next
		}
		n = target
	}
}

func (s *schema) walk(file string, n node, pattern string) error {
	file, n, err := s.resolve(file, n)
	if err != nil {
		return err
	}
	if kind, ok := n["type"].(string); ok && pattern != "" {
		if kind == "integer" {
			kind = "number"
		}
		s.types[pattern] = kind
	}
	if otherPlatforms[pattern] {
		return nil
	}
	for _, combined := range []string{"allOf", "anyOf", "oneOf"} {
		alternatives, _ := n[combined].([]interface{})
		for _, alternative := range alternatives {
			if err := s.walk(file, alternative.(node), pattern); err != nil {
				return err
			}
		}
	}
	if err := s.walkMembers(file, n, pattern); err != nil {
		return err
	}
	if items, ok := n["items"].(node); ok {
		return s.walk(file, items, pattern+"/*")
	}
	return nil
}

func (s *schema) walkMembers(file string, n node, pattern string) error {
	members, _ := n["properties"].(node)
	for name, member := range members {
		if err := s.walk(file, member.(node), pattern+"/"+name); err != nil {
			return err
		}
	}
	free, _ := n["patternProperties"].(node)
	for _, member := range free {
		if err := s.walk(file, member.(node), pattern+"/*"); err != nil {
			return err
		}
	}
	if member, ok := n["additionalProperties"].(node); ok {
		return s.walk(file, member, pattern+"/*")
	}
	return nil
}
