package cli

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// person sits at a terminal of their own: what is typed goes in by its master, and what is shown comes out there.
type person struct {
	t       *testing.T
	master  *os.File // pollable, so that closing it ends the read of the goroutine
	slave   *os.File
	command *exec.Cmd

	mutex sync.Mutex
	shown string
	seen  int // of shown: what sees() has passed
}

func control(t *testing.T, file *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	connection, err := file.SyscallConn()
	check(t, err)
	check(t, connection.Control(func(fd uintptr) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument)); errno != 0 {
			t.Errorf("ioctl %#x of %s: %v", request, file.Name(), errno)
		}
	}))
}

type windowSize struct{ rows, columns, x, y uint16 }

func newPerson(t *testing.T) *person {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		skip(t, "no terminal can be made: "+err.Error())
	}
	p := &person{t: t, master: master}
	t.Cleanup(func() { master.Close() })
	var number, unlock int32
	control(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	control(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	p.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { p.slave.Close() })
	p.resize(24, 80)
	go p.look()
	return p
}

func (p *person) look() {
	buffer := make([]byte, 4096)
	for {
		count, err := p.master.Read(buffer)
		p.mutex.Lock()
		p.shown += string(buffer[:count])
		p.mutex.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *person) resize(rows, columns uint16) {
	p.t.Helper()
	control(p.t, p.master, syscall.TIOCSWINSZ, unsafe.Pointer(&windowSize{rows: rows, columns: columns}))
}

// modes are those of the person's terminal: what a program that ends must leave as it found it.
func (p *person) modes() syscall.Termios {
	p.t.Helper()
	var modes syscall.Termios
	control(p.t, p.slave, syscall.TCGETS, unsafe.Pointer(&modes))
	return modes
}

func (p *person) isRaw() bool { return p.modes().Lflag&(syscall.ICANON|syscall.ECHO|syscall.ISIG) == 0 }

func (p *person) waitRaw() {
	p.t.Helper()
	eventually(p.t, "raw mode", p.isRaw)
}

func (p *person) types(text string) {
	p.t.Helper()
	_, err := p.master.WriteString(text)
	check(p.t, err)
}

// sees waits until the text is shown, behind what was waited for before.
func (p *person) sees(text string) {
	p.t.Helper()
	found := func() bool {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		at := strings.Index(p.shown[p.seen:], text)
		if at >= 0 {
			p.seen += at + len(text)
		}
		return at >= 0
	}
	defer func() {
		if p.t.Failed() {
			p.t.Logf("shown: %q", p.everything())
		}
	}()
	eventually(p.t, fmt.Sprintf("%q on the terminal", text), found)
}

func (p *person) everything() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.shown
}

// starts runs a command as the leader of a session whose terminal this is.
func (p *person) starts(command *exec.Cmd) {
	p.t.Helper()
	p.command = command
	command.Stdin, command.Stdout, command.Stderr = p.slave, p.slave, p.slave
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	check(p.t, command.Start())
}

// exits waits for the end of that command.
func (p *person) exits() int {
	p.t.Helper()
	if err := p.command.Wait(); err != nil {
		if _, exited := err.(*exec.ExitError); !exited {
			p.t.Fatal(err)
		}
	}
	return exitCode(p.command.ProcessState)
}
