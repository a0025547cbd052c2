//go:build reapergc

package abi

import "runtime"

// disturb lets the collector find what a call has forgotten to keep.
func disturb() { runtime.GC() }
