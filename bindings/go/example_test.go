package reaper_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	reaper "reaper/bindings/go"
)

// A container's whole life.
func Example() {
	ctx := context.Background()
	directory, err := os.MkdirTemp("", "reaper-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)
	runtime, err := reaper.New(reaper.Options{Root: directory + "/state"}) // without Root: the default directory
	if err != nil {
		log.Fatal(err)
	}
	defer runtime.Close()

	container, err := runtime.Create(ctx, "demo", reaper.CreateOptions{Stdout: os.Stdout, Config: `{
		"ociVersion": "1.2.0",
		"process": {"args": ["/bin/sh", "-c", "echo hello; exit 7"], "cwd": "/", "noNewPrivileges": true}}`})
	if err != nil {
		log.Fatal(err)
	}
	defer container.Delete(reaper.Force)
	if err := container.Start(); err != nil {
		log.Fatal(err)
	}
	status, err := container.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status)
	// Output:
	// hello
	// exit status 7
}

// What an error tells.
func ExampleError() {
	runtime, err := reaper.New(reaper.Options{Root: "/nothing/is/made/here"})
	if err != nil {
		log.Fatal(err)
	}
	defer runtime.Close()
	_, err = runtime.Plan(reaper.CreateOptions{Config: `{"ociVersion": "1.2.0", "process": {"args": ["true"], "cwd": 7}}`})
	var failure *reaper.Error
	if errors.Is(err, reaper.ErrInvalid) && errors.As(err, &failure) {
		fmt.Println(failure.Code, failure.Pointer, failure.Stage)
	}
	// Output: REAPER_ERR_INVALID /process/cwd config
}
