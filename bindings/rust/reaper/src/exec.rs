use crate::container::{zeroed_status, ExitStatus};
use crate::error::{c_text, checked};
use crate::log::Log;
use crate::runtime::milliseconds;
use crate::{Container, Error};
use reaper_sys as sys;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// A further process in a container, as [`Create`](crate::Create) is of a container. Descriptors are borrowed; without
/// any, the program's standard descriptors are `/dev/null`.
#[derive(Clone)]
pub struct Exec<'fd> {
    process: Vec<u8>,
    pid_file: Option<PathBuf>,
    stdio: [Option<BorrowedFd<'fd>>; 3],
    extra: Vec<BorrowedFd<'fd>>,
    console: bool,
    console_socket: Option<PathBuf>,
    flags: u32,
}

impl<'fd> Exec<'fd> {
    /// `process` is a process object of the runtime specification as JSON.
    pub fn new(process: impl Into<Vec<u8>>) -> Exec<'fd> {
        Exec {
            process: process.into(),
            pid_file: None,
            stdio: [None; 3],
            extra: Vec::new(),
            console: false,
            console_socket: None,
            flags: 0,
        }
    }

    /// The process is laid over the container's own, as that was created: what it does not have is the container's, and
    /// environment, groups and capabilities are added to the container's.
    pub fn lay_over(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_EXEC_LAY_OVER, wanted)
    }

    /// A path to write the pid to, digits only.
    pub fn pid_file(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.pid_file = Some(path.into());
        self
    }

    /// The program's standard input.
    pub fn stdin(&mut self, file: &'fd impl AsFd) -> &mut Self {
        self.stdio[0] = Some(file.as_fd());
        self
    }

    /// The program's standard output.
    pub fn stdout(&mut self, file: &'fd impl AsFd) -> &mut Self {
        self.stdio[1] = Some(file.as_fd());
        self
    }

    /// The program's standard error.
    pub fn stderr(&mut self, file: &'fd impl AsFd) -> &mut Self {
        self.stdio[2] = Some(file.as_fd());
        self
    }

    /// The program's next descriptor: 3, 4, ...
    pub fn extra_fd(&mut self, file: &'fd impl AsFd) -> &mut Self {
        self.extra.push(file.as_fd());
        self
    }

    /// Asks for the master of its terminal: see [`Process::take_console`].
    pub fn console(&mut self, wanted: bool) -> &mut Self {
        self.console = wanted;
        self
    }

    /// The path of a listening unix stream socket, which is sent the terminal's master instead.
    pub fn console_socket(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.console_socket = Some(path.into());
        self
    }

    /// Warnings about the document are errors.
    pub fn strict(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_EXEC_STRICT, wanted)
    }

    /// no_new_privs (prctl(2)), whatever the document says.
    pub fn no_new_privs(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_EXEC_NO_NEW_PRIVS, wanted)
    }

    /// Also in a paused container: [`Container::exec`] returns when that goes on.
    pub fn ignore_paused(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_EXEC_IGNORE_PAUSED, wanted)
    }

    fn flag(&mut self, flag: u32, wanted: bool) -> &mut Self {
        self.flags = if wanted { self.flags | flag } else { self.flags & !flag };
        self
    }

    fn with<T>(
        &self,
        master: &mut i32,
        call: impl FnOnce(*const sys::reaper_exec_options) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = |what: &str, path: &Option<PathBuf>| -> Result<Option<CString>, Error> {
            path.as_deref().map(|path: &Path| c_text(what, path.as_os_str().as_bytes())).transpose()
        };
        let pid_file = path("the pid file's path", &self.pid_file)?;
        let console_socket = path("the console socket's path", &self.console_socket)?;
        let address = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let number = |fd: &Option<BorrowedFd<'_>>| fd.map_or(-1, |fd| fd.as_raw_fd());
        let extra: Vec<i32> = self.extra.iter().map(AsRawFd::as_raw_fd).collect();
        let options = sys::reaper_exec_options {
            size: std::mem::size_of::<sys::reaper_exec_options>() as u64,
            process: self.process.as_ptr().cast(),
            process_length: self.process.len() as u64,
            pid_file: address(&pid_file),
            extra_fds: if extra.is_empty() { ptr::null() } else { extra.as_ptr() },
            extra_fd_count: extra.len() as u32,
            flags: self.flags | sys::REAPER_EXEC_STDIO,
            stdio: [number(&self.stdio[0]), number(&self.stdio[1]), number(&self.stdio[2])],
            reserved: 0,
            console_socket: address(&console_socket),
            console: if self.console { master } else { ptr::null_mut() },
        };
        call(&options)
    }
}

/// A handle on a further process in a container. When it is dropped, the zombie of a process that has ended is taken;
/// another one lives on, and is this process's child.
pub struct Process {
    handle: *mut sys::reaper_process,
    console: Option<OwnedFd>,
    _log: Option<Arc<Log>>,
}

// SAFETY: every function of the header takes a const handle, which any threads may use at once.
unsafe impl Send for Process {}
unsafe impl Sync for Process {}

impl Container {
    /// Runs a further process in this running container, in its namespaces, its root and its cgroups. `Ok` means that
    /// execve(2) has succeeded, with an identity that was read back and compared. It is a child of this process:
    /// [`Process::wait`] for it.
    pub fn exec(&self, options: &Exec<'_>) -> Result<Process, Error> {
        let mut master = -1;
        let handle = options.with(&mut master, |options| {
            let mut handle = ptr::null_mut();
            // SAFETY: the options live until it returns.
            checked(|err| unsafe { sys::reaper_exec(self.raw(), options, &mut handle, err) })?;
            Ok(handle)
        })?;
        // SAFETY: what the library gives is ours.
        let console = (master >= 0).then(|| unsafe { OwnedFd::from_raw_fd(master) });
        Ok(Process { handle, console, _log: self.log() })
    }
}

impl Process {
    /// Its process id in this pid namespace, also after it ended.
    pub fn pid(&self) -> i32 {
        // SAFETY: the handle is ours.
        unsafe { sys::reaper_process_pid(self.handle) }
    }

    /// A new descriptor for its pidfd: readable when it has ended.
    pub fn pidfd(&self) -> Result<OwnedFd, Error> {
        let mut fd = -1;
        checked(|err| unsafe { sys::reaper_process_pidfd(self.handle, &mut fd, err) })?;
        // SAFETY: what the library gives is ours.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// The master of its terminal, once, if [`Exec::console`] asked for it.
    pub fn take_console(&mut self) -> Option<OwnedFd> {
        self.console.take()
    }

    /// Sends a signal, by number.
    pub fn kill(&self, signal: i32) -> Result<(), Error> {
        checked(|err| unsafe { sys::reaper_process_kill(self.handle, signal, err) })
    }

    /// Waits until it has ended, and tells how. Blocks this thread; any number of threads may.
    pub fn wait(&self) -> Result<ExitStatus, Error> {
        self.wait_ms(-1)
    }

    /// The same for at most so long; [`Timeout`](crate::ErrorKind::Timeout): it still runs. With zero it only looks.
    pub fn wait_timeout(&self, time: Duration) -> Result<ExitStatus, Error> {
        self.wait_ms(i64::try_from(milliseconds(time)).unwrap_or(i64::MAX))
    }

    fn wait_ms(&self, timeout: i64) -> Result<ExitStatus, Error> {
        let mut status = zeroed_status();
        checked(|err| unsafe { sys::reaper_process_wait(self.handle, timeout, &mut status, err) })?;
        Ok(ExitStatus::of(&status))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody has it after this.
        unsafe { sys::reaper_process_free(self.handle) }
    }
}
