use reaper_sys as sys;
use std::ffi::{CStr, CString};
use std::fmt;
use std::io;

/// What went wrong: a `REAPER_ERR_*` of reaper.h.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// An argument or config.json is wrong; [`Error::pointer`] names the field.
    Invalid,
    /// Right, but this build, kernel or mode cannot apply it.
    Unsupported,
    /// No container of that id; no bundle or config.json there.
    NotFound,
    /// The id is in use.
    Exists,
    /// The container's status does not allow this operation.
    Status,
    /// Another operation holds the container; try again.
    Busy,
    /// The kernel refused, or a capability that is needed is not held.
    Permission,
    /// A system call failed; [`Error::errno`] and [`Error::stage`] say which and why.
    System,
    /// An allocation failed.
    NoMemory,
    /// The time limit was reached.
    Timeout,
    /// The record on disk cannot be believed.
    Corrupt,
    /// Identity or capabilities read back differ from what was asked for.
    Verify,
    /// The program could not be found or executed.
    Exec,
    /// The exit status can no longer be known.
    Unknown,
    /// A defect of the library.
    Internal,
    /// A hook failed; [`Error::pointer`] names it.
    Hook,
    /// A code that this crate does not know: the library is newer.
    Other(i32),
}

impl ErrorKind {
    fn of(code: i32) -> ErrorKind {
        match code {
            sys::REAPER_ERR_INVALID => ErrorKind::Invalid,
            sys::REAPER_ERR_UNSUPPORTED => ErrorKind::Unsupported,
            sys::REAPER_ERR_NOT_FOUND => ErrorKind::NotFound,
            sys::REAPER_ERR_EXISTS => ErrorKind::Exists,
            sys::REAPER_ERR_STATUS => ErrorKind::Status,
            sys::REAPER_ERR_BUSY => ErrorKind::Busy,
            sys::REAPER_ERR_PERMISSION => ErrorKind::Permission,
            sys::REAPER_ERR_SYSTEM => ErrorKind::System,
            sys::REAPER_ERR_NO_MEMORY => ErrorKind::NoMemory,
            sys::REAPER_ERR_TIMEOUT => ErrorKind::Timeout,
            sys::REAPER_ERR_CORRUPT => ErrorKind::Corrupt,
            sys::REAPER_ERR_VERIFY => ErrorKind::Verify,
            sys::REAPER_ERR_EXEC => ErrorKind::Exec,
            sys::REAPER_ERR_UNKNOWN => ErrorKind::Unknown,
            sys::REAPER_ERR_INTERNAL => ErrorKind::Internal,
            sys::REAPER_ERR_HOOK => ErrorKind::Hook,
            other => ErrorKind::Other(other),
        }
    }
}

/// A failure of the library.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    errno: i32,
    message: String,
    pointer: String,
    stage: String,
}

impl Error {
    pub(crate) fn own(kind: ErrorKind, message: String, stage: &str) -> Error {
        Error { kind, errno: 0, message, pointer: String::new(), stage: stage.to_string() }
    }

    /// # Safety
    /// `error` is NULL, or an error object, which is freed.
    unsafe fn take(code: i32, error: *mut sys::reaper_error) -> Error {
        let text = |text| CStr::from_ptr(text).to_string_lossy().into_owned();
        let taken = Error {
            kind: ErrorKind::of(code),
            errno: sys::reaper_error_errno(error),
            // There may be no memory for an error object.
            message: text(if error.is_null() {
                sys::reaper_error_name(code)
            } else {
                sys::reaper_error_message(error)
            }),
            pointer: text(sys::reaper_error_pointer(error)),
            stage: text(sys::reaper_error_stage(error)),
        };
        sys::reaper_error_free(error);
        taken
    }

    /// What went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// errno(3) of the system call that failed.
    pub fn errno(&self) -> Option<i32> {
        Some(self.errno).filter(|number| *number != 0)
    }

    /// One line, which stands alone; what [`fmt::Display`] prints.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The JSON pointer (RFC 6901) of the field of config.json at fault, or "".
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The step that failed: "config", "clone", "execve", ...
    pub fn stage(&self) -> &str {
        &self.stage
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    /// Of the kind that the errno has, or else the error's own.
    fn from(error: Error) -> io::Error {
        let kind = match error.kind {
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::Exists => io::ErrorKind::AlreadyExists,
            ErrorKind::Permission => io::ErrorKind::PermissionDenied,
            ErrorKind::Invalid => io::ErrorKind::InvalidInput,
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::NoMemory => io::ErrorKind::OutOfMemory,
            _ => error.errno().map_or(io::ErrorKind::Other, |number| io::Error::from_raw_os_error(number).kind()),
        };
        io::Error::new(kind, error)
    }
}

/// Calls what returns a code, and takes the error.
pub(crate) fn checked(call: impl FnOnce(*mut *mut sys::reaper_error) -> i32) -> Result<(), Error> {
    let mut error = std::ptr::null_mut();
    match call(&mut error) {
        sys::REAPER_OK => Ok(()),
        // SAFETY: on failure it is NULL or an object of ours.
        code => Err(unsafe { Error::take(code, error) }),
    }
}

/// Calls what returns a string.
pub(crate) fn text(
    call: impl FnOnce(*mut *mut sys::c_char, *mut *mut sys::reaper_error) -> i32,
) -> Result<String, Error> {
    let mut out = std::ptr::null_mut();
    checked(|error| call(&mut out, error))?;
    // SAFETY: on success it is a string of ours, to be freed.
    let text = unsafe { CStr::from_ptr(out) }.to_string_lossy().into_owned();
    unsafe { sys::reaper_free(out) };
    Ok(text)
}

/// C would take a text up to its first NUL for the whole: another id or path than was asked for.
pub(crate) fn c_text(what: &str, text: &[u8]) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::own(ErrorKind::Invalid, format!("{what} has a NUL byte"), "arguments"))
}
