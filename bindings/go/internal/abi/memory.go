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

// numbers is an array as a member of an option struct, with its length.
func (a *arena) numbers(numbers []int32) (uintptr, uint32) {
	if len(numbers) == 0 {
		return 0, 0
	}
	copied := Ptr(&a.bytes(4 * len(numbers))[0])
	copy(unsafe.Slice((*int32)(copied), len(numbers)), numbers)
	return uintptr(copied), uint32(len(numbers))
}

// master is where the library writes the master of a terminal to, and its address as a member of an option struct; nil
// and 0 where none is wanted.
func (a *arena) master(wanted bool) (*int32, uintptr) {
	if !wanted {
		return nil, 0
	}
	number := (*int32)(Ptr(&a.bytes(4)[0]))
	*number = -1
	return number, uintptr(Ptr(number))
}

// masterOf is what was written there; -1 where none was asked for, and after a failure.
func masterOf(console *int32, failure *Failure) int {
	if failure != nil || console == nil {
		return -1
	}
	return int(*console)
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
