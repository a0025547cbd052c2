use reaper_sys as sys;
use std::ffi::{c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// How important a message is.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What failed.
    Error,
    /// What was asked for and will not be done.
    Warning,
    /// What is done.
    Info,
    /// Each step of it.
    Debug,
}

impl Level {
    pub(crate) fn number(self) -> u32 {
        self as u32 + 1
    }

    fn of(number: i32) -> Level {
        match number {
            sys::REAPER_LOG_ERROR => Level::Error,
            sys::REAPER_LOG_WARNING => Level::Warning,
            sys::REAPER_LOG_INFO => Level::Info,
            _ => Level::Debug,
        }
    }
}

pub(crate) type Log = Box<dyn Fn(Level, &str) + Send + Sync>;

/// The reaper_log_callback. `data` is a `Log` that lives as long as any handle that may log. Nothing may unwind the
/// library's frames, which hold locks: a panic ends the program.
pub(crate) unsafe extern "C" fn line(data: *mut c_void, level: i32, message: *const sys::c_char) {
    let log = &*data.cast::<Log>();
    let message = CStr::from_ptr(message).to_string_lossy();
    if catch_unwind(AssertUnwindSafe(|| log(Level::of(level), &message))).is_err() {
        std::process::abort();
    }
}
