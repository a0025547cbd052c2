//go:build !go1.24

package abi

import "runtime"

// closeWith closes the handle when its owner was collected.
func closeWith[T any](owner *T, h *handle) {
	runtime.SetFinalizer(owner, func(*T) { h.close() })
}
