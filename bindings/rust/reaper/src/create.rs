use crate::error::c_text;
use crate::io::{address, io_options, path, Io};
use crate::Error;
use reaper_sys as sys;
use std::path::PathBuf;
use std::ptr;

/// What a container is made of. Without any option: config.json of the working directory, and `/dev/null` for the
/// program's standard descriptors. Descriptors are borrowed.
#[derive(Default, Clone)]
pub struct Create<'fd> {
    bundle: Option<PathBuf>,
    config: Option<Vec<u8>>,
    io: Io<'fd>,
    listen: u32,
    listen_names: Option<String>,
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

    /// Announces the first so many of the extra descriptors as sd_listen_fds(3) has it, with as many names, separated by
    /// colons, or none.
    pub fn listen_fds(&mut self, count: u32, names: Option<&str>) -> &mut Self {
        self.listen = count;
        self.listen_names = names.map(str::to_string);
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

    io_options!();

    /// Calls with the options as C has them. `master` receives the terminal's master, if that was asked for.
    pub(crate) fn with<T>(
        &self,
        master: Option<&mut i32>,
        call: impl FnOnce(*const sys::reaper_create_options) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let bundle = path("the bundle's path", &self.bundle)?;
        let io = self.io.raw()?;
        let names = self.listen_names.as_ref().map(|names| c_text("a name", names.as_bytes())).transpose()?;
        let (extra_fds, extra_fd_count) = io.extra();
        let options = sys::reaper_create_options {
            size: std::mem::size_of::<sys::reaper_create_options>() as u64,
            bundle: address(&bundle),
            config: self.config.as_ref().map_or(ptr::null(), |config| config.as_ptr().cast()),
            config_length: self.config.as_ref().map_or(0, |config| config.len() as u64),
            pid_file: io.pid_file(),
            extra_fds,
            extra_fd_count,
            flags: self.flags | sys::REAPER_CREATE_STDIO,
            stdio: io.stdio,
            listen_fd_count: self.listen,
            console_socket: io.console_socket(),
            console: match master {
                Some(master) if self.io.console => master,
                _ => ptr::null_mut(),
            },
            listen_names: address(&names),
        };
        call(&options)
    }
}
