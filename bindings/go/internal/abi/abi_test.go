package abi

import (
	"context"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Every function of the header is a member of Library, and nothing else is.
func TestLibraryIsTheHeader(t *testing.T) {
	text, err := os.ReadFile("../../../../include/reaper.h")
	if err != nil {
		t.Skip("SKIP: no header beside this module")
	}
	left := map[string]bool{"malloc": true, "freememory": true, "newlogger": true}
	for _, found := range regexp.MustCompile(`REAPER_API [a-z0-9_ *]*?reaper_(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
		left[strings.ReplaceAll(found[1], "_", "")] = true
	}
	if len(left) < 30 {
		t.Fatalf("%v", left)
	}
	fields := reflect.TypeOf(Library{})
	for i := 0; i < fields.NumField(); i++ {
		name := strings.ToLower(fields.Field(i).Name)
		if !left[name] {
			t.Errorf("%s is not in the header", name)
		}
		delete(left, name)
	}
	if len(left) > 0 {
		t.Errorf("not in Library: %v", left)
	}
}

func TestAwaitReadable(t *testing.T) {
	for name, await := range map[string]func(context.Context, *os.File) error{"poller": awaitReadable, "fallback": lookNowAndThen} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		ended, end := context.WithTimeout(context.Background(), 5*time.Millisecond)
		if err := await(ended, read); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		end()
		read2 := make(chan error)
		again, write2, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() { read2 <- await(context.Background(), again) }()
		_ = write2.Close()
		if err := <-read2; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, file := range []*os.File{read, write, again} {
			_ = file.Close()
		}
	}
}

// A descriptor that the poller refuses is looked at now and then: a plain file is always readable.
func TestWithoutThePoller(t *testing.T) {
	file, err := os.Open("abi_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.SetReadDeadline(time.Time{}) == nil {
		t.Fatal("the poller takes plain files")
	}
	if err := awaitReadable(context.Background(), file); err != nil {
		t.Error(err)
	}
}
