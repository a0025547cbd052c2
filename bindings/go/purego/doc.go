// Package reaper, in the directory purego, is reaper/bindings/go without cgo: libreaper is loaded by dlopen(3) when the
// program runs, so that it builds with CGO_ENABLED=0, for a machine that has no libreaper yet. Everything else is the
// same, from the types to the tests; its documentation is there.
//
//	import reaper "reaper/bindings/go/purego"
//
// The first use loads libreaper.so.0 where dlopen looks for it. Load tells whether it can be, and takes a path of it
// elsewhere; call it first then. The program is still linked to the C library, dynamically: there is no libreaper
// without one. With CGO_ENABLED=0 it needs glibc (github.com/ebitengine/purego says so).
package reaper
