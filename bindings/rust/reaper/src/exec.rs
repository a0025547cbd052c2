use crate::container::{zeroed_status, ExitStatus};
use crate::error::checked;
use crate::io::{io_options, Io};
use crate::log::Log;
use crate::runtime::milliseconds;
use crate::{Container, Error};
use reaper_sys as sys;
use std::os::unix::io::{FromRawFd, OwnedFd};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// A further process in a container, as [`Create`](crate::Create) is of a container. Descriptors are borrowed; without
/// any, the program's standard descriptors are `/dev/null`.
#[derive(Clone)]
pub struct Exec<'fd> {
    process: Vec<u8>,
    io: Io<'fd>,
    flags: u32,
}

impl<'fd> Exec<'fd> {
    /// `process` is a process object of the runtime specification as JSON.
    pub fn new(process: impl Into<Vec<u8>>) -> Exec<'fd> {
        Exec { process: process.into(), io: Io::default(), flags: 0 }
    }

    /// The process is laid over the container's own, as that was created: what it does not have is the container's, and
    /// environment, groups and capabilities are added to the container's.
    pub fn lay_over(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_EXEC_LAY_OVER, wanted)
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

    io_options!();

    fn with<T>(
        &self,
        master: &mut i32,
        call: impl FnOnce(*const sys::reaper_exec_options) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let io = self.io.raw()?;
        let (extra_fds, extra_fd_count) = io.extra();
        let options = sys::reaper_exec_options {
            size: std::mem::size_of::<sys::reaper_exec_options>() as u64,
            process: self.process.as_ptr().cast(),
            process_length: self.process.len() as u64,
            pid_file: io.pid_file(),
            extra_fds,
            extra_fd_count,
            flags: self.flags | sys::REAPER_EXEC_STDIO,
            stdio: io.stdio,
            reserved: 0,
            console_socket: io.console_socket(),
            console: if self.io.console { master } else { ptr::null_mut() },
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
