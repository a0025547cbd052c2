package reaper

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"

	"reaper/bindings/go/internal/abi"
)

const soname = "libreaper.so.0"

var loaded struct {
	lock    sync.Mutex
	path    string
	library *abi.Library
}

// Load loads the library from a path, or with "" libreaper.so.0 from where dlopen(3) looks for it, and finds all its
// functions. It is loaded once, and stays; another path after that is refused with ErrUnsupported, as is what cannot be
// loaded. Without Load, the first use of this package is Load("").
func Load(path string) error {
	loaded.lock.Lock()
	defer loaded.lock.Unlock()
	if strings.IndexByte(path, 0) >= 0 {
		return &Error{Code: CodeInvalid, Errno: syscall.EINVAL, Op: "load", Message: "the path has a NUL byte", Stage: "load"}
	}
	if loaded.library != nil {
		if path != "" && path != loaded.path {
			return &Error{Code: CodeUnsupported, Op: "load", Stage: "load",
				Message: fmt.Sprintf("%s is loaded already, and not %s", loaded.path, path)}
		}
		return nil
	}
	if path == "" {
		path = soname
	}
	made, err := open(path)
	if err != nil {
		return &Error{Code: CodeUnsupported, Op: "load", Message: err.Error(), Stage: "load"}
	}
	loaded.path, loaded.library = path, made
	return nil
}

func library() (*abi.Library, error) {
	if err := Load(""); err != nil {
		return nil, err
	}
	return loaded.library, nil
}

// open fills in the functions of abi.Library, each of which is named as its symbol but for the way of writing:
// RuntimeNew is reaper_runtime_new.
func open(path string) (*abi.Library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, err
	}
	made := &abi.Library{}
	fields := reflect.ValueOf(made).Elem()
	for i := 0; i < fields.NumField(); i++ {
		name := symbol(fields.Type().Field(i).Name)
		if name == "" {
			continue
		}
		address, err := purego.Dlsym(handle, name)
		if err != nil {
			_ = purego.Dlclose(handle)
			return nil, err
		}
		purego.RegisterFunc(fields.Field(i).Addr().Interface(), address)
	}
	// What it calls as malloc: dlsym looks into the libraries that it needs, too.
	made.Malloc = allocator(made.Malloc)
	made.NewLogger = newLogger
	return made, nil
}

func symbol(field string) string {
	switch field {
	case "Malloc":
		return "malloc"
	case "FreeMemory":
		return "free"
	case "NewLogger":
		return ""
	case "DeleteID":
		return "reaper_delete_id"
	case "ContainerID":
		return "reaper_container_id"
	}
	var name strings.Builder
	for _, letter := range field {
		if letter >= 'A' && letter <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(letter)
	}
	return "reaper" + strings.ToLower(name.String())
}

// allocator ends the program where cgo's would: when there is no memory.
func allocator(malloc func(uintptr) abi.Ptr) func(uintptr) abi.Ptr {
	return func(size uintptr) abi.Ptr {
		memory := malloc(size)
		if memory == nil {
			panic("reaper: out of memory")
		}
		return memory
	}
}

// Callbacks that C can call are never freed, so there is one, and a logger is a number in the table.
var loggers struct {
	lock     sync.Mutex
	next     uintptr
	log      map[uintptr]func(int32, string)
	callback uintptr
}

func newLogger(log func(int32, string)) abi.Logger {
	loggers.lock.Lock()
	defer loggers.lock.Unlock()
	if loggers.callback == 0 {
		loggers.callback = purego.NewCallback(logLine)
		loggers.log = make(map[uintptr]func(int32, string))
	}
	loggers.next++
	number := loggers.next
	loggers.log[number] = log
	return abi.Logger{Callback: loggers.callback, Data: number, Release: func() {
		loggers.lock.Lock()
		defer loggers.lock.Unlock()
		delete(loggers.log, number)
	}}
}

func logLine(logger uintptr, level int32, message unsafe.Pointer) uintptr {
	loggers.lock.Lock()
	log := loggers.log[logger]
	loggers.lock.Unlock()
	abi.Log(log, level, abi.Text(message))
	return 0
}
