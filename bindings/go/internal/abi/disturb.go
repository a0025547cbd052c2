//go:build !reapergc

package abi

// disturb does nothing, but with the build tag reapergc, where it stands before and after every call.
func disturb() {}
