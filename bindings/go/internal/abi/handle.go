package abi

import (
	"sync"
	"sync/atomic"
)

// handle is one of the library's, freed once: by Close, or when its owner was collected. Whoever calls with it holds
// the lock: for reading where the header says const, or any threads at once.
type handle struct {
	lock   sync.RWMutex
	handle Ptr // nil: freed
	free   func(Ptr)
	logger *sharedLogger
}

func (h *handle) close() {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.handle == nil {
		return
	}
	h.free(h.handle)
	h.handle = nil
	h.logger.release()
}

// read calls with the handle beside other readers.
func (h *handle) read(call func(Ptr) *Failure) *Failure {
	h.lock.RLock()
	defer h.lock.RUnlock()
	return h.call(call)
}

// alone calls with the handle while nobody else does.
func (h *handle) alone(call func(Ptr) *Failure) *Failure {
	h.lock.Lock()
	defer h.lock.Unlock()
	return h.call(call)
}

func (h *handle) call(call func(Ptr) *Failure) *Failure {
	if h.handle == nil {
		return closed
	}
	disturb()
	defer disturb()
	return call(h.handle)
}

// sharedLogger is let go with the last handle that may log: a container does so after its runtime was closed.
type sharedLogger struct {
	logger Logger
	users  int64
}

func (s *sharedLogger) retain() *sharedLogger {
	atomic.AddInt64(&s.users, 1)
	return s
}

func (s *sharedLogger) release() {
	if atomic.AddInt64(&s.users, -1) == 0 && s.logger.Release != nil {
		s.logger.Release()
	}
}

// child is a handle that a call with another one makes, and that logs as that one does.
func (l *Library) child(parent *handle, free func(Ptr), call func(above Ptr, out, err *Ptr) int32) (*handle, *Failure) {
	var made *handle
	failure := parent.read(func(above Ptr) *Failure {
		var out, err Ptr
		if failure := l.failure(call(above, &out, &err), err); failure != nil {
			return failure
		}
		made = &handle{handle: out, free: free, logger: parent.logger.retain()}
		return nil
	})
	return made, failure
}
