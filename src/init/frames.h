// The framed talk with the library: over the handshake socket until GO, over the gate's connection from START on.
#pragma once

#include "init/operation.h"
#include "init/state.h"

namespace reaper::init {

// 1: all read; 0: end of file before the first byte; negative errno otherwise (EPROTO: end of file in the middle).
long read_exactly(int fd, void* out, uint64_t size);

// Waits for a frame without payload. The process ends where the library is gone: there is nobody to tell.
Outcome await_frame(int fd, wire::Frame type);

// The same of one that brings a descriptor.
Outcome await_descriptor(int fd, wire::Frame type, int& descriptor);

// 0 or a negative errno. A peer that is gone gives -EPIPE, never a signal.
long send_frame(int fd, wire::Frame type, const void* payload, uint32_t size);

// The same with a descriptor of ours, which the receiver gets as a new one of its own.
long send_frame_with_descriptor(int fd, wire::Frame type, const void* payload, uint32_t size, int descriptor);

// Leaves the same, as the payload of an ERROR frame, in `page` (wire::ErrorPage): no system call.
void write_error(char* page, const Operation* operation, const Outcome& outcome);

// Tells `fd` why `operation` (null: none) failed.
void send_error(int fd, const Operation* operation, const Outcome& outcome);

}  // namespace reaper::init
