// Package reaper runs OCI containers from inside a Go program, by libreaper: no daemon, no command line in between, an
// exit status for every container, and errors that name the field of config.json, the step and the errno.
//
// # Five minutes
//
// Install libreaper, so that pkg-config --libs reaper prints something. Then this creates a container, starts it with the
// program's own standard output, waits for it and removes it, as root or as an ordinary user:
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//		"os"
//
//		reaper "reaper/bindings/go"
//	)
//
//	func main() {
//		ctx := context.Background()
//		runtime, err := reaper.New(reaper.Options{})
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer runtime.Close()
//		container, err := runtime.Create(ctx, "demo", reaper.CreateOptions{Stdout: os.Stdout, Config: `{
//			"ociVersion": "1.2.0",
//			"process": {"args": ["/bin/sh", "-c", "echo hello; exit 7"], "cwd": "/", "noNewPrivileges": true}}`})
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer container.Delete(reaper.Force)
//		if err := container.Start(); err != nil {
//			log.Fatal(err)
//		}
//		status, err := container.Wait(ctx)
//		if err != nil {
//			log.Fatal(err)
//		}
//		fmt.Println(status) // exit status 7
//	}
//
// Config is a text, or any value that marshals to one, such as *specs.Spec of the runtime specification; without it,
// config.json is read from Bundle.
//
// # Errors
//
// Every failure of the library is an *Error. Ask for its code with errors.Is and ErrNotFound, ErrExists, ErrBusy and so
// on, for the system call's errno with errors.Is and syscall.EPERM, and for field and step with errors.As.
//
// # What a program can rely on
//
// The library starts no thread and changes nothing of the process: no signal handler, mask, umask or environment. Every
// descriptor is close-on-exec. A container outlives its handles and the program; it is deleted by Delete alone. Wait
// blocks a goroutine and no thread. All types may be used by any number of goroutines at once.
//
// # Without cgo
//
// The package reaper/bindings/go/purego is this one, loaded by dlopen: change the import line alone.
package reaper

//go:generate go run ./internal/twin
