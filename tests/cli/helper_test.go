package cli

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// helper is what this binary does as a container's program, where no standard program will do.
func helper(args []string) int {
	switch args[0] {
	case "bind": // takes a TCP port of every address
		listener, err := net.Listen("tcp4", ":"+args[1])
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("bound", listener.Addr())
		return 0
	case "signals": // prints the signals that arrive, until TERM
		return printSignals()
	case "spawn": // forks a child that waits for ever in a session of its own, prints its pid, and waits as well
		return spawn()
	case "attributes": // prints scheduler, I/O priority and personality
		return printAttributes()
	case "exec-ignoring": // execs with signals ignored and blocked: what a careless caller hands on
		return execIgnoring(args[1:])
	case "cgroup-view": // see cgroup_view_test.go
		return cgroupView(args[1:])
	case "cgroup-make":
		return makeCgroup(args[1:])
	case "cgroup-clean":
		return cleanCgroups(args[1:])
	case "storm": // forks for ever
		return forkStorm(args[1:])
	case "without-limits": // see tools_test.go
		return withoutLimits(args[1:])
	case "exec-closed": // execs with some of 0, 1 and 2 closed: "01", "2", ...
		return execClosed(args[1], args[2:])
	}
	fmt.Println("no such helper:", args[0])
	return 2
}

func printSignals() int {
	arrived := make(chan os.Signal, 16)
	signal.Notify(arrived)
	fmt.Println("ready")
	for one := range arrived {
		number := one.(syscall.Signal)
		if number == syscall.SIGURG { // Go's own, for preemption
			continue
		}
		fmt.Println("signal", int(number))
		if number == syscall.SIGTERM {
			return 7
		}
	}
	return 1
}

// Both sleep for ever; the child leaves the parent's session and process group, but stays its child.
func spawn() int {
	child, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000000"}, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{Setsid: true}, Files: []*os.File{nil, os.Stdout, os.Stderr}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("child", child.Pid)
	for {
		time.Sleep(time.Hour)
	}
}

func execIgnoring(args []string) int {
	runtime.LockOSThread() // a mask belongs to a thread
	signal.Ignore(syscall.SIGINT, syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGTERM, syscall.SIGHUP)
	var mask uint64 = 1<<(syscall.SIGUSR1-1) | 1<<(syscall.SIGALRM-1)
	const block, size = 0, 8 // SIG_BLOCK, sizeof the kernel's sigset_t
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, block, uintptr(unsafe.Pointer(&mask)), 0, size,
		0, 0); errno != 0 {
		fmt.Println("rt_sigprocmask:", errno)
		return 1
	}
	fmt.Println(syscall.Exec(args[0], args, os.Environ()))
	return 1
}

func execClosed(numbers string, args []string) int {
	for _, digit := range numbers {
		number, err := strconv.Atoi(string(digit))
		if err != nil || syscall.Close(number) != nil {
			return 1
		}
	}
	_ = syscall.Exec(args[0], args, os.Environ())
	return 1
}
