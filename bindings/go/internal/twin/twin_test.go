package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

const top, twin = "../..", "../../purego"

func TestCopiesAreFresh(t *testing.T) {
	for _, name := range Files {
		text, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		copied, err := os.ReadFile(filepath.Join(twin, name))
		if err != nil || string(copied) != Twin(name, string(text)) {
			t.Errorf("purego/%s is not what go generate makes (%v)", name, err)
		}
	}
}

func TestBothHaveTheSameTests(t *testing.T) {
	names, _ := filepath.Glob(top + "/*_test.go")
	for _, name := range names {
		copied, err := os.ReadFile(filepath.Join(twin, filepath.Base(name)))
		text, _ := os.ReadFile(name)
		if err != nil || string(copied) != string(text) && string(copied) != Twin(filepath.Base(name), string(text)) {
			t.Errorf("%s has no twin (%v)", name, err)
		}
	}
	if len(names) < 4 {
		t.Errorf("%v", names)
	}
}

// What each package exports, with signatures: types with their fields and methods, functions, constants, variables.
func TestBothExportTheSame(t *testing.T) {
	have, want := exported(t, twin), exported(t, top)
	if strings.Join(have, "\n") != strings.Join(want, "\n") {
		t.Errorf("package purego exports\n%s\nand the other one\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if len(want) < 40 {
		t.Errorf("only %v", want)
	}
}

func exported(t *testing.T, directory string) (list []string) {
	t.Helper()
	set := token.NewFileSet()
	noTests := func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }
	parsed, err := parser.ParseDir(set, directory, noTests, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(text string) { list = append(list, text) }
	function := func(receiver string, f *doc.Func) {
		var types []string
		for _, fields := range []*ast.FieldList{f.Decl.Type.Params, f.Decl.Type.Results} {
			if fields != nil {
				for _, field := range fields.List {
					types = append(types, typeName(field.Type))
				}
			}
			types = append(types, ";")
		}
		add("func " + receiver + "." + f.Name + " " + strings.Join(types, " "))
	}
	for _, made := range parsed {
		documented := doc.New(made, directory, 0)
		for _, f := range documented.Funcs {
			function("", f)
		}
		for _, value := range append(append([]*doc.Value{}, documented.Consts...), documented.Vars...) {
			add("value " + strings.Join(value.Names, " "))
		}
		for _, kind := range documented.Types {
			add("type " + kind.Name)
			for _, f := range append(append([]*doc.Func{}, kind.Methods...), kind.Funcs...) {
				function(kind.Name, f)
			}
			for _, value := range append(append([]*doc.Value{}, kind.Consts...), kind.Vars...) {
				add("value " + strings.Join(value.Names, " "))
			}
			for _, spec := range kind.Decl.Specs {
				if fields, ok := spec.(*ast.TypeSpec).Type.(*ast.StructType); ok {
					for _, field := range fields.Fields.List {
						for _, name := range field.Names {
							add("field " + kind.Name + "." + name.Name + " " + typeName(field.Type))
						}
					}
				}
			}
		}
	}
	sort.Strings(list)
	return list
}

func typeName(e ast.Expr) string {
	var text strings.Builder
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			text.WriteString(n.Name + " ")
		case *ast.StarExpr:
			text.WriteString("*")
		case *ast.ArrayType:
			text.WriteString("[]")
		case *ast.Ellipsis:
			text.WriteString("...")
		}
		return true
	})
	return text.String()
}
