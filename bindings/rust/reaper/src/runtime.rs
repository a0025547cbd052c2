use crate::error::{c_text, checked, text};
use crate::log::{line, Log};
use crate::{ready, Container, Create, Error, Level};
use reaper_sys as sys;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// Options of a [`Runtime`]. Without any, the defaults.
#[derive(Default)]
#[must_use]
pub struct Builder {
    root: Option<PathBuf>,
    log: Option<(Level, Log)>,
    lock_timeout: Duration,
    kill_timeout: Duration,
}

impl Builder {
    /// The state directory. Otherwise the first that applies of `$REAPER_RUNTIME_ROOT`; `/run/reaper` for root;
    /// `$XDG_RUNTIME_DIR/reaper`; `/run/user/UID/reaper` where that is the caller's own; `/tmp/reaper-UID`.
    pub fn root(mut self, path: impl Into<PathBuf>) -> Builder {
        self.root = Some(path.into());
        self
    }

    /// Receives messages up to that level, inside the calls that they are about. It must not use the same handle, and a
    /// panic in it ends the program.
    pub fn log(mut self, level: Level, log: impl Fn(Level, &str) + Send + Sync + 'static) -> Builder {
        self.log = Some((level, Box::new(log)));
        self
    }

    /// How long an operation waits for another one before [`Busy`](crate::ErrorKind::Busy). Otherwise ten seconds.
    pub fn lock_timeout(mut self, time: Duration) -> Builder {
        self.lock_timeout = time.max(Duration::from_millis(1));
        self
    }

    /// How long what was killed may take to die before [`Timeout`](crate::ErrorKind::Timeout). Otherwise ten seconds.
    pub fn kill_timeout(mut self, time: Duration) -> Builder {
        self.kill_timeout = time.max(Duration::from_millis(1));
        self
    }

    /// Makes the handle. Nothing is made on disk: the first create makes the directory.
    pub fn build(self) -> Result<Runtime, Error> {
        ready()?;
        let root = self.root.map(|path| c_text("the state directory", path.as_os_str().as_bytes())).transpose()?;
        let (level, log) = match self.log {
            Some((level, log)) => (level.number(), Some(Arc::new(log))),
            None => (0, None),
        };
        let options = sys::reaper_runtime_options {
            size: std::mem::size_of::<sys::reaper_runtime_options>() as u64,
            root: root.as_ref().map_or(ptr::null(), |root| root.as_ptr()),
            log: if log.is_some() { Some(line) } else { None },
            log_data: log.as_ref().map_or(ptr::null_mut(), |log| Arc::as_ptr(log) as *mut _),
            log_level: level,
            flags: 0,
            lock_timeout_ms: milliseconds(self.lock_timeout),
            kill_timeout_ms: milliseconds(self.kill_timeout),
        };
        let mut handle = ptr::null_mut();
        // SAFETY: the options and what they point to live during the call, the logger as long as the handle.
        checked(|err| unsafe { sys::reaper_runtime_new(&options, &mut handle, err) })?;
        Ok(Runtime { handle, log })
    }
}

pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A handle on a state directory.
pub struct Runtime {
    handle: *mut sys::reaper_runtime,
    log: Option<Arc<Log>>,
}

// SAFETY: the header allows const functions, reaper_create, reaper_open and reaper_list from any threads at once, which
// are what takes &self; reaper_delete_id takes &mut self. The logger is Send and Sync.
unsafe impl Send for Runtime {}
unsafe impl Sync for Runtime {}

impl Runtime {
    /// A handle on the default state directory: see [`Builder::root`].
    pub fn new() -> Result<Runtime, Error> {
        Runtime::builder().build()
    }

    /// Options, then the handle.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The absolute path of the state directory.
    pub fn root(&self) -> &Path {
        // SAFETY: the string lives as long as the handle.
        let root = unsafe { std::ffi::CStr::from_ptr(sys::reaper_runtime_root(self.handle)) };
        Path::new(std::ffi::OsStr::from_bytes(root.to_bytes()))
    }

    /// Makes everything that config.json asks for except the program, which waits for [`Container::start`]. The
    /// container's process becomes a child of this one.
    pub fn create(&self, id: &str, options: &Create<'_>) -> Result<Container, Error> {
        let id = c_text("the id", id.as_bytes())?;
        let mut master = -1;
        let handle = options.with(Some(&mut master), |options| {
            self.container(|out, err| unsafe { sys::reaper_create(self.handle, id.as_ptr(), options, out, err) })
        })?;
        Ok(Container::new(handle, self.log.clone(), master))
    }

    /// A handle on a container that exists, whoever created it.
    pub fn open(&self, id: &str) -> Result<Container, Error> {
        let id = c_text("the id", id.as_bytes())?;
        let handle = self.container(|out, err| unsafe { sys::reaper_open(self.handle, id.as_ptr(), out, err) })?;
        Ok(Container::new(handle, self.log.clone(), -1))
    }

    fn container(
        &self,
        call: impl FnOnce(*mut *mut sys::reaper_container, *mut *mut sys::reaper_error) -> i32,
    ) -> Result<*mut sys::reaper_container, Error> {
        let mut handle = ptr::null_mut();
        checked(|err| call(&mut handle, err))?;
        Ok(handle)
    }

    /// Deletes by id a stopped container. It also reaches those that [`Runtime::open`] refuses. It wants the handle to
    /// itself; a second `Runtime` on the same directory is cheap.
    pub fn delete(&mut self, id: &str) -> Result<(), Error> {
        self.delete_with(id, 0)
    }

    /// As [`Runtime::delete`], but ends the process first, and sweeps what a killed create has left.
    pub fn force_delete(&mut self, id: &str) -> Result<(), Error> {
        self.delete_with(id, sys::REAPER_DELETE_FORCE)
    }

    fn delete_with(&mut self, id: &str, flags: u32) -> Result<(), Error> {
        let id = c_text("the id", id.as_bytes())?;
        // SAFETY: &mut self is alone with the handle.
        checked(|err| unsafe { sys::reaper_delete_id(self.handle, id.as_ptr(), flags, err) })
    }

    /// Every container, as a JSON array of `{id, pid, status, bundle, created, owner}`.
    pub fn list(&self) -> Result<String, Error> {
        text(|out, err| unsafe { sys::reaper_list(self.handle, out, err) })
    }

    /// The plan that create would carry out, as lines for people. Nothing is made or changed.
    pub fn plan(&self, options: &Create<'_>) -> Result<String, Error> {
        self.plan_as(options, sys::REAPER_FORMAT_TEXT)
    }

    /// The plan as JSON: see `reaper_plan()` in reaper.h.
    pub fn plan_json(&self, options: &Create<'_>) -> Result<String, Error> {
        self.plan_as(options, sys::REAPER_FORMAT_JSON)
    }

    fn plan_as(&self, options: &Create<'_>, format: u32) -> Result<String, Error> {
        options
            .with(None, |options| text(|out, err| unsafe { sys::reaper_plan(self.handle, options, format, out, err) }))
    }

    /// What would fail, for this user on this host, and why, as lines for people. Nothing is made or changed.
    pub fn check(&self, options: &Create<'_>) -> Result<String, Error> {
        self.check_as(options, sys::REAPER_FORMAT_TEXT)
    }

    /// The same as JSON: `{"ok": no errors, "findings": [...]}`.
    pub fn check_json(&self, options: &Create<'_>) -> Result<String, Error> {
        self.check_as(options, sys::REAPER_FORMAT_JSON)
    }

    fn check_as(&self, options: &Create<'_>, format: u32) -> Result<String, Error> {
        options
            .with(None, |options| text(|out, err| unsafe { sys::reaper_check(self.handle, options, format, out, err) }))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody has it after this. Containers keep what they need, the logger too.
        unsafe { sys::reaper_runtime_free(self.handle) }
    }
}
