//! The library that was found when the program ran.
use crate::{c_char, c_int, Functions};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, Ordering};

extern "C" {
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(handle: *mut c_void) -> c_int;
}
const RTLD_NOW: c_int = 2;

struct Slot(UnsafeCell<MaybeUninit<Functions>>);
// SAFETY: written once, by who moved STATE from EMPTY to BUSY; read after READY alone.
unsafe impl Sync for Slot {}
static SLOT: Slot = Slot(UnsafeCell::new(MaybeUninit::uninit()));
static STATE: AtomicU8 = AtomicU8::new(EMPTY);
const EMPTY: u8 = 0;
const BUSY: u8 = 1;
const READY: u8 = 2;

/// Loads the library from `path`, or with NULL `libreaper.so.0` from where dlopen(3) looks for it. It is loaded once and
/// stays; after that, the path is not looked at. False: it cannot be loaded (dlerror(3) tells why), or lacks a function
/// of `reaper.h`.
///
/// # Safety
/// `path` is NULL or ends in NUL, and leads to a library of that name and nothing else: its initializers run.
pub unsafe fn load(path: *const c_char) -> bool {
    loop {
        match STATE.compare_exchange(EMPTY, BUSY, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => break,
            Err(READY) => return true,
            Err(_) => core::hint::spin_loop(), // another thread is about to know
        }
    }
    let path = if path.is_null() { b"libreaper.so.0\0".as_ptr().cast() } else { path };
    let handle = dlopen(path, RTLD_NOW);
    let found = if handle.is_null() { None } else { Functions::find(|name| dlsym(handle, name)) };
    match found {
        Some(functions) => (*SLOT.0.get()).write(functions),
        None => {
            if !handle.is_null() {
                dlclose(handle);
            }
            STATE.store(EMPTY, Ordering::Release);
            return false;
        }
    };
    STATE.store(READY, Ordering::Release);
    true
}

pub(crate) fn functions() -> Functions {
    assert!(STATE.load(Ordering::Acquire) == READY, "libreaper was not loaded: call reaper_sys::load() first");
    // SAFETY: READY is set after it was written, and it is never written again.
    unsafe { (*SLOT.0.get()).assume_init() }
}
