use crate::error::{checked, text};
use crate::log::Log;
use crate::runtime::milliseconds;
use crate::{Error, ErrorKind};
use reaper_sys as sys;
use std::os::unix::io::{FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where a container is in its life.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its hooks run.
    Creating,
    /// It waits for start.
    Created,
    /// Its program runs.
    Running,
    /// Its process has ended.
    Stopped,
}

/// How a container's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitStatus {
    raw: [i64; 8],
}

impl ExitStatus {
    pub(crate) fn of(status: &sys::reaper_exit_status) -> ExitStatus {
        ExitStatus {
            raw: [
                status.exit_code.into(),
                status.signal.into(),
                status.core_dumped.into(),
                status.started_at_ns,
                status.finished_at_ns,
                status.user_time_us,
                status.system_time_us,
                status.max_rss_kib,
            ],
        }
    }

    /// Exit code 0.
    pub fn success(&self) -> bool {
        self.code() == Some(0)
    }

    /// The exit code, unless a signal ended it.
    pub fn code(&self) -> Option<i32> {
        (self.raw[0] >= 0).then(|| self.raw[0] as i32)
    }

    /// The signal that ended it.
    pub fn signal(&self) -> Option<i32> {
        (self.raw[1] != 0).then(|| self.raw[1] as i32)
    }

    /// Whether a core file was written.
    pub fn core_dumped(&self) -> bool {
        self.raw[2] != 0
    }

    /// When it was started, if that is known.
    pub fn started_at(&self) -> Option<SystemTime> {
        moment(self.raw[3])
    }

    /// When it ended, if that is known.
    pub fn finished_at(&self) -> Option<SystemTime> {
        moment(self.raw[4])
    }

    /// CPU time in user mode, if that is known.
    pub fn user_time(&self) -> Option<Duration> {
        u64::try_from(self.raw[5]).ok().map(Duration::from_micros)
    }

    /// CPU time in the kernel, if that is known.
    pub fn system_time(&self) -> Option<Duration> {
        u64::try_from(self.raw[6]).ok().map(Duration::from_micros)
    }

    /// The most resident memory in bytes, if that is known.
    pub fn max_rss(&self) -> Option<u64> {
        u64::try_from(self.raw[7]).ok().map(|kib| kib * 1024)
    }
}

/// What the library writes an exit status to.
pub(crate) fn zeroed_status() -> sys::reaper_exit_status {
    // SAFETY: all zero is a value of it.
    let mut status: sys::reaper_exit_status = unsafe { std::mem::zeroed() };
    status.size = std::mem::size_of_val(&status) as u64;
    status
}

fn moment(ns: i64) -> Option<SystemTime> {
    (ns > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_nanos(ns as u64))
}

/// A handle on a container, which outlives it.
pub struct Container {
    handle: *mut sys::reaper_container,
    console: Option<OwnedFd>,
    _log: Option<Arc<Log>>, // the library may log as long as there is a handle
}

// SAFETY: the header allows const functions from any threads at once, which are what takes &self; reaper_start and
// reaper_delete take &mut self.
unsafe impl Send for Container {}
unsafe impl Sync for Container {}

impl Container {
    pub(crate) fn new(handle: *mut sys::reaper_container, log: Option<Arc<Log>>, master: i32) -> Container {
        // SAFETY: what the library gives is ours.
        let console = (master >= 0).then(|| unsafe { OwnedFd::from_raw_fd(master) });
        Container { handle, console, _log: log }
    }

    pub(crate) fn raw(&self) -> *const sys::reaper_container {
        self.handle
    }

    pub(crate) fn log(&self) -> Option<Arc<Log>> {
        self._log.clone()
    }

    /// The id.
    pub fn id(&self) -> &str {
        // SAFETY: the string lives as long as the handle. Ids are ASCII.
        unsafe { std::ffi::CStr::from_ptr(sys::reaper_container_id(self.handle)) }.to_str().unwrap_or_default()
    }

    /// The master of the program's terminal, once, if [`Create::console`](crate::Create::console) asked for it. When its
    /// last copy is closed, the program gets SIGHUP.
    pub fn take_console(&mut self) -> Option<OwnedFd> {
        self.console.take()
    }

    /// Runs the program. `Ok` means that execve(2) has succeeded, with an identity that was read back and compared.
    pub fn start(&mut self) -> Result<(), Error> {
        // SAFETY: &mut self is alone with the handle.
        checked(|err| unsafe { sys::reaper_start(self.handle, err) })
    }

    /// The state object of the runtime specification as JSON, and what Reaper adds.
    pub fn state(&self) -> Result<String, Error> {
        text(|out, err| unsafe { sys::reaper_state(self.handle, out, err) })
    }

    /// The status alone.
    pub fn status(&self) -> Result<Status, Error> {
        Ok(match self.number(|out, err| unsafe { sys::reaper_status(self.handle, out, err) })? {
            sys::REAPER_STATUS_CREATING => Status::Creating,
            sys::REAPER_STATUS_CREATED => Status::Created,
            sys::REAPER_STATUS_RUNNING => Status::Running,
            sys::REAPER_STATUS_STOPPED => Status::Stopped,
            other => return Err(Error::own(ErrorKind::Internal, format!("status {other}"), "status")),
        })
    }

    /// The process id of the container's process in this pid namespace, also after it ended.
    pub fn pid(&self) -> Result<i32, Error> {
        self.number(|out, err| unsafe { sys::reaper_pid(self.handle, out, err) })
    }

    /// A new pidfd of the container's process: readable when the process has ended.
    pub fn pidfd(&self) -> Result<OwnedFd, Error> {
        // SAFETY: what the library gives is ours.
        self.number(|out, err| unsafe { sys::reaper_pidfd(self.handle, out, err) })
            .map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn number(&self, call: impl FnOnce(*mut i32, *mut *mut sys::reaper_error) -> i32) -> Result<i32, Error> {
        let mut number = -1;
        checked(|err| call(&mut number, err))?;
        Ok(number)
    }

    /// Sends a signal, by number, to the container's process.
    pub fn kill(&self, signal: i32) -> Result<(), Error> {
        checked(|err| unsafe { sys::reaper_kill(self.handle, signal, 0, err) })
    }

    /// Sends a signal to every process of the container that can be found.
    pub fn kill_all(&self, signal: i32) -> Result<(), Error> {
        checked(|err| unsafe { sys::reaper_kill(self.handle, signal, sys::REAPER_KILL_ALL, err) })
    }

    /// Waits until the container's process has ended, and tells how. Blocks this thread; any number of threads may.
    pub fn wait(&self) -> Result<ExitStatus, Error> {
        self.wait_ms(-1)
    }

    /// The same for at most so long; [`Timeout`](ErrorKind::Timeout): it still runs. With zero it only looks.
    pub fn wait_timeout(&self, time: Duration) -> Result<ExitStatus, Error> {
        self.wait_ms(i64::try_from(milliseconds(time)).unwrap_or(i64::MAX))
    }

    fn wait_ms(&self, timeout: i64) -> Result<ExitStatus, Error> {
        let mut status = zeroed_status();
        checked(|err| unsafe { sys::reaper_wait(self.handle, timeout, &mut status, err) })?;
        Ok(ExitStatus::of(&status))
    }

    /// Removes a stopped container. Afterwards the handle answers [`NotFound`](ErrorKind::NotFound), but keeps the exit
    /// status for [`Container::wait`].
    pub fn delete(&mut self) -> Result<(), Error> {
        self.delete_with(0)
    }

    /// As [`Container::delete`], but ends the process first.
    pub fn force_delete(&mut self) -> Result<(), Error> {
        self.delete_with(sys::REAPER_DELETE_FORCE)
    }

    fn delete_with(&mut self, flags: u32) -> Result<(), Error> {
        // SAFETY: &mut self is alone with the handle.
        checked(|err| unsafe { sys::reaper_delete(self.handle, flags, err) })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody has it after this.
        unsafe { sys::reaper_container_free(self.handle) }
    }
}
