use crate::error::c_text;
use crate::Error;
use reaper_sys as sys;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::ptr;

/// What a container is made of. Without any option: config.json of the working directory, and `/dev/null` for the
/// program's standard descriptors. Descriptors are borrowed.
#[derive(Default, Clone)]
pub struct Create<'fd> {
    bundle: Option<PathBuf>,
    config: Option<Vec<u8>>,
    pid_file: Option<PathBuf>,
    stdio: [Option<BorrowedFd<'fd>>; 3],
    extra: Vec<BorrowedFd<'fd>>,
    listen: u32,
    listen_names: Option<String>,
    console: bool,
    console_socket: Option<PathBuf>,
    flags: u32,
}

impl<'fd> Create<'fd> {
    /// No options yet.
    pub fn new() -> Create<'fd> {
        Create::default()
    }

    /// The directory that holds config.json.
    pub fn bundle(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.bundle = Some(path.into());
        self
    }

    /// The text of config.json, which is not read from the bundle then.
    pub fn config(&mut self, text: impl Into<Vec<u8>>) -> &mut Self {
        self.config = Some(text.into());
        self
    }

    /// The same from a value that serializes to it, such as `oci_spec::runtime::Spec`.
    #[cfg(feature = "serde")]
    pub fn config_of(&mut self, value: &impl serde::Serialize) -> Result<&mut Self, serde_json::Error> {
        self.config = Some(serde_json::to_vec(value)?);
        Ok(self)
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

    /// Announces the first so many of the extra descriptors as sd_listen_fds(3) has it, with as many names, separated by
    /// colons, or none.
    pub fn listen_fds(&mut self, count: u32, names: Option<&str>) -> &mut Self {
        self.listen = count;
        self.listen_names = names.map(str::to_string);
        self
    }

    /// Asks for the master of the program's terminal, where config.json has `process.terminal`: see
    /// [`Container::take_console`](crate::Container::take_console).
    pub fn console(&mut self, wanted: bool) -> &mut Self {
        self.console = wanted;
        self
    }

    /// The path of a listening unix stream socket, which is sent the terminal's master instead.
    pub fn console_socket(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.console_socket = Some(path.into());
        self
    }

    /// Warnings about config.json are errors.
    pub fn strict(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_CREATE_STRICT, wanted)
    }

    /// A small process stays above the container's: every process can ask how it ended, and all descendants are in reach.
    pub fn supervise(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_CREATE_SUPERVISE, wanted)
    }

    /// The program keeps the caller's session keyring.
    pub fn no_new_keyring(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_CREATE_NO_NEW_KEYRING, wanted)
    }

    /// `linux.cgroupsPath` is passed over.
    pub fn no_cgroup(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_CREATE_NO_CGROUP, wanted)
    }

    /// A root of the container's own is moved over the host's, where pivot_root(2) cannot work.
    pub fn no_pivot(&mut self, wanted: bool) -> &mut Self {
        self.flag(sys::REAPER_CREATE_NO_PIVOT, wanted)
    }

    fn flag(&mut self, flag: u32, wanted: bool) -> &mut Self {
        self.flags = if wanted { self.flags | flag } else { self.flags & !flag };
        self
    }

    /// Calls with the options as C has them. `master` receives the terminal's master, if that was asked for.
    pub(crate) fn with<T>(
        &self,
        master: Option<&mut i32>,
        call: impl FnOnce(*const sys::reaper_create_options) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = |what: &str, path: &Option<PathBuf>| -> Result<Option<CString>, Error> {
            path.as_deref().map(|path: &Path| c_text(what, path.as_os_str().as_bytes())).transpose()
        };
        let bundle = path("the bundle's path", &self.bundle)?;
        let pid_file = path("the pid file's path", &self.pid_file)?;
        let console_socket = path("the console socket's path", &self.console_socket)?;
        let names = self.listen_names.as_ref().map(|names| c_text("a name", names.as_bytes())).transpose()?;
        let address = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let number = |fd: &Option<BorrowedFd<'_>>| fd.map_or(-1, |fd| fd.as_raw_fd());
        let extra: Vec<i32> = self.extra.iter().map(AsRawFd::as_raw_fd).collect();
        let options = sys::reaper_create_options {
            size: std::mem::size_of::<sys::reaper_create_options>() as u64,
            bundle: address(&bundle),
            config: self.config.as_ref().map_or(ptr::null(), |config| config.as_ptr().cast()),
            config_length: self.config.as_ref().map_or(0, |config| config.len() as u64),
            pid_file: address(&pid_file),
            extra_fds: if extra.is_empty() { ptr::null() } else { extra.as_ptr() },
            extra_fd_count: extra.len() as u32,
            flags: self.flags | sys::REAPER_CREATE_STDIO,
            stdio: [number(&self.stdio[0]), number(&self.stdio[1]), number(&self.stdio[2])],
            listen_fd_count: self.listen,
            console_socket: address(&console_socket),
            console: match master {
                Some(master) if self.console => master,
                _ => ptr::null_mut(),
            },
            listen_names: address(&names),
        };
        call(&options)
    }
}
