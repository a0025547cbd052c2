use crate::error::c_text;
use crate::Error;
use std::ffi::CString;
use std::os::raw::c_char;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::ptr;

/// What the program of a container and a further one have in common: descriptors, terminal and pid file.
#[derive(Default, Clone)]
pub(crate) struct Io<'fd> {
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) stdio: [Option<BorrowedFd<'fd>>; 3],
    pub(crate) extra: Vec<BorrowedFd<'fd>>,
    pub(crate) console: bool,
    pub(crate) console_socket: Option<PathBuf>,
}

/// The same as C has it: what the pointers of an option struct point at.
pub(crate) struct RawIo {
    pid_file: Option<CString>,
    console_socket: Option<CString>,
    extra: Vec<i32>,
    pub(crate) stdio: [i32; 3],
}

pub(crate) fn path(what: &str, path: &Option<PathBuf>) -> Result<Option<CString>, Error> {
    path.as_deref().map(|path: &Path| c_text(what, path.as_os_str().as_bytes())).transpose()
}

pub(crate) fn address(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

impl Io<'_> {
    pub(crate) fn raw(&self) -> Result<RawIo, Error> {
        Ok(RawIo {
            pid_file: path("the pid file's path", &self.pid_file)?,
            console_socket: path("the console socket's path", &self.console_socket)?,
            extra: self.extra.iter().map(AsRawFd::as_raw_fd).collect(),
            stdio: self.stdio.map(|fd| fd.map_or(-1, |fd| fd.as_raw_fd())),
        })
    }
}

impl RawIo {
    pub(crate) fn pid_file(&self) -> *const c_char {
        address(&self.pid_file)
    }

    pub(crate) fn console_socket(&self) -> *const c_char {
        address(&self.console_socket)
    }

    pub(crate) fn extra(&self) -> (*const i32, u32) {
        let first = if self.extra.is_empty() { ptr::null() } else { self.extra.as_ptr() };
        (first, self.extra.len() as u32)
    }
}

/// The options that [`Io`] stands for, in an `impl` of something with a member `io`.
macro_rules! io_options {
    () => {
        /// A path to write the pid to, digits only.
        pub fn pid_file(&mut self, path: impl Into<std::path::PathBuf>) -> &mut Self {
            self.io.pid_file = Some(path.into());
            self
        }

        /// The program's standard input.
        pub fn stdin(&mut self, file: &'fd impl std::os::unix::io::AsFd) -> &mut Self {
            self.io.stdio[0] = Some(file.as_fd());
            self
        }

        /// The program's standard output.
        pub fn stdout(&mut self, file: &'fd impl std::os::unix::io::AsFd) -> &mut Self {
            self.io.stdio[1] = Some(file.as_fd());
            self
        }

        /// The program's standard error.
        pub fn stderr(&mut self, file: &'fd impl std::os::unix::io::AsFd) -> &mut Self {
            self.io.stdio[2] = Some(file.as_fd());
            self
        }

        /// The program's next descriptor: 3, 4, ...
        pub fn extra_fd(&mut self, file: &'fd impl std::os::unix::io::AsFd) -> &mut Self {
            self.io.extra.push(file.as_fd());
            self
        }

        /// Asks for the master of the program's terminal, where it has one: `take_console` of what is made gives it.
        pub fn console(&mut self, wanted: bool) -> &mut Self {
            self.io.console = wanted;
            self
        }

        /// The path of a listening unix stream socket, which is sent the terminal's master instead.
        pub fn console_socket(&mut self, path: impl Into<std::path::PathBuf>) -> &mut Self {
            self.io.console_socket = Some(path.into());
            self
        }

        fn flag(&mut self, flag: u32, wanted: bool) -> &mut Self {
            self.flags = if wanted { self.flags | flag } else { self.flags & !flag };
            self
        }
    };
}
pub(crate) use io_options;
