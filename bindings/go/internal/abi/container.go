package abi

import (
	"context"
	"os"
	"runtime"
)

// Container is a reaper_container.
type Container struct {
	library  *Library
	handle   *handle
	finished int64 // when Wait saw its end, in nanoseconds; 0: it has not. The library knows only of its own waits.
}

// Close is reaper_container_free, once.
func (c *Container) Close() {
	defer runtime.KeepAlive(c)
	c.handle.close()
}

// ID is reaper_container_id; "" after Close.
func (c *Container) ID() (id string) {
	defer runtime.KeepAlive(c)
	_ = c.handle.read(func(handle Ptr) *Failure {
		id = c.library.ContainerID(handle)
		return nil
	})
	return id
}

// Start is reaper_start.
func (c *Container) Start() *Failure {
	defer runtime.KeepAlive(c)
	return c.handle.alone(func(handle Ptr) *Failure {
		var err Ptr
		return c.library.failure(c.library.Start(handle, &err), err)
	})
}

// Delete is reaper_delete.
func (c *Container) Delete(flags uint32) *Failure {
	defer runtime.KeepAlive(c)
	return c.handle.alone(func(handle Ptr) *Failure {
		var err Ptr
		return c.library.failure(c.library.Delete(handle, flags, &err), err)
	})
}

// Kill is reaper_kill.
func (c *Container) Kill(signal int32, flags uint32) *Failure {
	defer runtime.KeepAlive(c)
	return c.handle.read(func(handle Ptr) *Failure {
		var err Ptr
		return c.library.failure(c.library.Kill(handle, signal, flags, &err), err)
	})
}

// State is reaper_state.
func (c *Container) State() (text []byte, failure *Failure) {
	defer runtime.KeepAlive(c)
	failure = c.handle.read(func(handle Ptr) *Failure {
		text, failure = c.library.text(func(out, err *Ptr) int32 { return c.library.State(handle, out, err) })
		return failure
	})
	return text, failure
}

// Status is reaper_status.
func (c *Container) Status() (int32, *Failure) { return c.number(c.library.Status) }

// Pid is reaper_pid.
func (c *Container) Pid() (int32, *Failure) { return c.number(c.library.Pid) }

// Pidfd is reaper_pidfd.
func (c *Container) Pidfd() (int32, *Failure) { return c.number(c.library.Pidfd) }

func (c *Container) number(function func(container Ptr, out *int32, err *Ptr) int32) (int32, *Failure) {
	defer runtime.KeepAlive(c)
	number := int32(-1)
	failure := c.handle.read(func(handle Ptr) *Failure {
		var err Ptr
		return c.library.failure(function(handle, &number, &err), err)
	})
	return number, failure
}

// Wait is reaper_wait for as long as the context lasts. The second error is the context's.
func (c *Container) Wait(ctx context.Context) (ExitStatus, *Failure, error) {
	defer runtime.KeepAlive(c)
	return waiter{c.library, c.handle, c.library.Wait, c.Pidfd, &c.finished}.wait(ctx)
}

// File makes a descriptor of the library's a file that Go's poller takes if it can.
func File(fd int32, name string) *os.File {
	setNonblock(int(fd))
	return os.NewFile(uintptr(fd), name)
}
