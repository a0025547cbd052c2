/*
 * malloc(3) and its kin of a program that includes this, and of all libraries in it: they count what is not freed, and
 * fail when they are told to. Not together with a sanitizer, which has an allocator of its own.
 */
#ifndef REAPER_TESTS_FAULTS_ALLOCATOR_H
#define REAPER_TESTS_FAULTS_ALLOCATOR_H

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCHED 0
#else
#define WATCHED 1
#endif

static atomic_long live; /* blocks that were handed out and not taken back */
static __thread struct {
  long count; /* allocations since arm() */
  long first; /* the one that fails; 0: none */
  int persistent;
  long failed;
} fault;

#if WATCHED
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);

/* Seen by the libraries, where the build hides everything else. */
#define EXPORTED __attribute__((visibility("default")))

static int must_fail(void) {
  if (fault.first == 0) return 0;
  ++fault.count;
  if (fault.count != fault.first && !(fault.persistent && fault.count > fault.first)) return 0;
  ++fault.failed;
  errno = ENOMEM;
  return 1;
}

static void* counted(void* block) {
  if (block != NULL) atomic_fetch_add(&live, 1);
  return block;
}

EXPORTED void* malloc(size_t size) {
  return must_fail() ? NULL : counted(__libc_malloc(size));
}

EXPORTED void* calloc(size_t count, size_t size) {
  return must_fail() ? NULL : counted(__libc_calloc(count, size));
}

EXPORTED void* realloc(void* block, size_t size) {
  if (must_fail()) return NULL;
  void* made = __libc_realloc(block, size);
  if (block == NULL) return counted(made);
  if (made == NULL && size == 0) atomic_fetch_sub(&live, 1); /* glibc frees it */
  return made;
}

EXPORTED void* memalign(size_t alignment, size_t size);
EXPORTED void* memalign(size_t alignment, size_t size) {
  return must_fail() ? NULL : counted(__libc_memalign(alignment, size));
}

EXPORTED void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

EXPORTED int posix_memalign(void** out, size_t alignment, size_t size) {
  const int saved = errno;
  void* block = memalign(alignment, size);
  errno = saved;
  if (block == NULL) return ENOMEM;
  *out = block;
  return 0;
}

EXPORTED void free(void* block) {
  if (block == NULL) return;
  atomic_fetch_sub(&live, 1);
  __libc_free(block);
}
#endif

/* In this thread, until disarm(): the first-th allocation fails, and with `persistent` all after it. */
static void arm(long first, int persistent) {
  fault.count = fault.failed = 0;
  fault.persistent = persistent;
  fault.first = first;
}

static void disarm(void) {
  fault.first = 0;
}

#endif
