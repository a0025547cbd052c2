// Command hello makes a container that prints a line as a user: hello [UID GID], by default the caller's own.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	reaper "reaper/bindings/go"
)

func hello(uid, gid string) (err error) {
	ctx := context.Background()
	runtime, err := reaper.New(reaper.Options{})
	if err != nil {
		return err
	}
	defer runtime.Close()
	container, err := runtime.Create(ctx, "hello", reaper.CreateOptions{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Config: `{"ociVersion": "1.2.0", "process": {"cwd": "/", "noNewPrivileges": true,
			"args": ["/bin/sh", "-c", "echo hello from user $(id -u)"],
			"env": ["PATH=/usr/bin:/bin"], "user": {"uid": ` + uid + `, "gid": ` + gid + `}}}`})
	if err != nil {
		return err
	}
	// A container outlives its handle and this program: it is deleted in any case.
	defer func() {
		if failure := container.Delete(reaper.Force); err == nil {
			err = failure
		}
	}()
	if err := container.Start(); err != nil {
		return err
	}
	status, err := container.Wait(ctx)
	if err == nil && !status.Success() {
		err = fmt.Errorf("%v", status)
	}
	return err
}

func main() {
	uid, gid := fmt.Sprint(os.Getuid()), fmt.Sprint(os.Getgid())
	if len(os.Args) == 3 {
		uid, gid = os.Args[1], os.Args[2]
	}
	if err := hello(uid, gid); err != nil {
		log.Fatal(err)
	}
}
