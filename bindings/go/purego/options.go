// Code generated from ../options.go by internal/twin. DO NOT EDIT.

package reaper

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"reaper/bindings/go/internal/abi"
)

// Level is how important a message is.
type Level int32

// The levels of messages.
const (
	LevelError   Level = 1
	LevelWarning Level = 2
	LevelInfo    Level = 3
	LevelDebug   Level = 4
)

// Options of New. The zero value means the defaults.
type Options struct {
	// Root is the state directory. "": the first that applies of $REAPER_RUNTIME_ROOT; /run/reaper for root;
	// $XDG_RUNTIME_DIR/reaper; /run/user/UID/reaper where that is the caller's own; /tmp/reaper-UID.
	Root string

	// Log receives one message without a newline, inside the call that it is about, and from any goroutine that makes
	// one. It must not use the same Runtime or Container. A panic in it ends the program: it cannot be recovered, for
	// the library's frames lie below. nil: nothing is logged. See LogTo for log/slog.
	Log func(level Level, message string)
	// LogLevel is the least important level that is sent; 0: LevelWarning.
	LogLevel Level

	// LockTimeout is how long an operation waits for another one before ErrBusy; 0: ten seconds.
	LockTimeout time.Duration
	// KillTimeout is how long what was killed may take to die before ErrTimeout; 0: ten seconds.
	KillTimeout time.Duration
}

// CreateOptions say what a container is made of. The zero value: config.json of the working directory, and /dev/null
// for the program's standard descriptors.
type CreateOptions struct {
	// Bundle is the directory that holds config.json; "": the working directory.
	Bundle string
	// Config takes the place of the bundle's config.json: the text as []byte, json.RawMessage or string, or any value
	// that encoding/json makes it of, such as a *specs.Spec of the runtime specification. nil: read from the bundle.
	Config any

	// Stdin, Stdout and Stderr are the program's 0, 1 and 2; nil: /dev/null. They stay yours. As with os/exec, the
	// descriptors become blocking ones.
	Stdin, Stdout, Stderr *os.File
	// ExtraFiles are the program's 3, 4, and so on. They stay yours.
	ExtraFiles []*os.File
	// ListenFiles is how many of the first ExtraFiles are announced as sd_listen_fds(3) has it.
	ListenFiles int
	// ListenNames are their names for LISTEN_FDNAMES, as many, or none.
	ListenNames []string

	// Console asks for the master of the program's terminal, where config.json has process.terminal: see
	// Container.Console. ConsoleSocket is the path of a listening unix stream socket that is sent it instead.
	Console       bool
	ConsoleSocket string

	// PidFile is a path to write the pid to, digits only; "": none.
	PidFile string

	// Strict makes errors of warnings about config.json, such as unknown names.
	Strict bool
	// Supervise keeps a small process above the container's: every process can ask Wait how it ended, and All and Force
	// reach all of its descendants.
	Supervise bool
	// NoNewKeyring leaves the program the caller's session keyring (keyrings(7)).
	NoNewKeyring bool
	// NoCgroup passes over linux.cgroupsPath: the caller's cgroups stay.
	NoCgroup bool
	// NoPivot moves a root of the container's own over the host's, where pivot_root(2) cannot work.
	NoPivot bool
}

const (
	createStrict       = 1 << 1
	createSupervise    = 1 << 2
	createNoNewKeyring = 1 << 3
	createNoCgroup     = 1 << 4
	createNoPivot      = 1 << 5
)

// request is the options for the library. The files must be kept alive until it has returned.
func (o *CreateOptions) request() (abi.Request, error) {
	config, err := configText(o.Config)
	if err != nil {
		return abi.Request{}, err
	}
	for _, name := range o.ListenNames {
		if strings.ContainsRune(name, ':') {
			return abi.Request{}, &Error{Code: CodeInvalid, Op: "options", Stage: "arguments",
				Message: fmt.Sprintf("the name %q of ListenNames has a colon, which separates them", name)}
		}
	}
	if o.ListenFiles < 0 {
		return abi.Request{}, &Error{Code: CodeInvalid, Op: "options", Stage: "arguments",
			Message: fmt.Sprintf("ListenFiles is %d", o.ListenFiles)}
	}
	request := abi.Request{
		Bundle: o.Bundle, Config: config, PidFile: o.PidFile,
		Stdio:     [3]int32{descriptor(o.Stdin), descriptor(o.Stdout), descriptor(o.Stderr)},
		ListenFds: uint32(o.ListenFiles), ListenNames: strings.Join(o.ListenNames, ":"),
		Console: o.Console, ConsoleSocket: o.ConsoleSocket,
	}
	for _, file := range o.ExtraFiles {
		request.ExtraFds = append(request.ExtraFds, descriptor(file))
	}
	for flag, wanted := range map[uint32]bool{createStrict: o.Strict, createSupervise: o.Supervise,
		createNoNewKeyring: o.NoNewKeyring, createNoCgroup: o.NoCgroup, createNoPivot: o.NoPivot} {
		if wanted {
			request.Flags |= flag
		}
	}
	return request, nil
}

func configText(config any) ([]byte, error) {
	switch config := config.(type) {
	case nil:
		return nil, nil
	case []byte:
		return append([]byte{}, config...), nil
	case json.RawMessage:
		return append([]byte{}, config...), nil
	case string:
		return []byte(config), nil
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("reaper: options: Config: %w", err)
	}
	return text, nil
}

// descriptor is -1 for no file; a closed one has a number that no descriptor has, so that the library refuses it
// instead of taking /dev/null.
func descriptor(file *os.File) int32 {
	if file == nil {
		return -1
	}
	fd := file.Fd()
	if fd > 1<<30 {
		return 1 << 30
	}
	return int32(fd)
}
