package abi

import "unsafe"

// arena is memory of C for one call: what it is handed may hold no pointer of Go.
type arena struct {
	library *Library
	pieces  []Ptr
}

func (a *arena) free() {
	for _, piece := range a.pieces {
		a.library.FreeMemory(piece)
	}
	a.pieces = nil
}

// bytes is zeroed memory, at least one byte.
func (a *arena) bytes(size int) []byte {
	length := size
	if length == 0 {
		length = 1
	}
	piece := a.library.Malloc(uintptr(length))
	a.pieces = append(a.pieces, piece)
	memory := unsafe.Slice((*byte)(piece), length)
	for i := range memory {
		memory[i] = 0
	}
	return memory[:size:length]
}

// text is a string that ends in NUL. It must have none in itself: check with hasNul before.
func (a *arena) text(text string) Ptr {
	memory := a.bytes(len(text) + 1)
	copy(memory, text)
	return Ptr(&memory[0])
}

// address is text as a member of an option struct: 0 for the empty one.
func (a *arena) address(text string) uintptr {
	if text == "" {
		return 0
	}
	return uintptr(a.text(text))
}

// take is a string that the library returned through `out`, which is freed.
func (l *Library) take(text Ptr) []byte {
	taken := []byte(Text(text))
	l.Free(text)
	return taken
}

// Text is a string of C in Go's memory.
func Text(text Ptr) string {
	length := 0
	for *(*byte)(unsafe.Add(text, length)) != 0 {
		length++
	}
	return string(unsafe.Slice((*byte)(text), length))
}
