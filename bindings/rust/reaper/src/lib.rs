//! OCI containers from inside a program, by libreaper: no daemon, no command line in between, an exit status for every
//! container, and errors that name the field of `config.json`, the step and the errno.
//!
//! ```
//! # fn main() -> Result<(), reaper::Error> {
//! # let place = std::env::temp_dir().join(format!("reaper-doc-{}", std::process::id()));
//! use reaper::{Create, Runtime};
//!
//! let runtime = Runtime::builder().root(&place).build()?; // without root(): the default state directory
//! let config = r#"{"ociVersion": "1.2.0",
//!     "process": {"args": ["/bin/sh", "-c", "exit 7"], "cwd": "/", "noNewPrivileges": true}}"#;
//! let mut container = runtime.create("demo", Create::new().config(config))?;
//! container.start()?;
//! let status = container.wait()?;
//! container.delete()?;
//! assert_eq!(status.code(), Some(7));
//! # std::fs::remove_dir(&place).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! The library starts no thread and changes nothing of the process; every descriptor is close-on-exec. A container
//! outlives its handle and the program: [`Container::delete`] alone removes it.
//!
//! # Threads
//!
//! As the header promises: all handles are [`Send`] and [`Sync`]; what may run beside other calls takes `&self`, and what
//! wants the handle to itself takes `&mut self`: [`Container::start`], [`Container::delete`], [`Runtime::delete`].
//!
//! ```compile_fail,E0596
//! fn twice(container: &reaper::Container) {
//!     container.start().unwrap(); // somebody else may hold &container
//! }
//! ```
//! ```compile_fail,E0596
//! fn beside(runtime: &reaper::Runtime) {
//!     runtime.delete("id").unwrap();
//! }
//! ```
//! ```compile_fail,E0277
//! // What a log function keeps must be shareable: it is called by any thread.
//! let count = std::rc::Rc::new(0);
//! reaper::Runtime::builder().log(reaper::Level::Info, move |_, _| drop(count.clone()));
//! ```
//! ```compile_fail,E0716
//! // Descriptors are borrowed until the call.
//! let mut create = reaper::Create::new();
//! create.stdout(&std::fs::File::open("/dev/null").unwrap());
//! create.strict(true);
//! ```
//!
//! # Features
//!
//! | feature | | Rust |
//! |---|---|---|
//! | none | no dependency but libreaper, which pkg-config finds | 1.63 |
//! | `vendored` | libreaper is built from the tree that this crate lies in | 1.63 |
//! | `dlopen` | libreaper is found when the program runs (`load`) | 1.63 |
//! | `serde` | `Create::config_of`: from any value that serializes, such as oci-spec's | as serde_json |
//! | `tokio` | `Container::wait_async` | as tokio |
#![warn(missing_docs)]

mod container;
mod create;
mod error;
mod exec;
mod io;
mod log;
mod runtime;
#[cfg(feature = "tokio")]
mod wait_async;

pub use container::{Container, ExitStatus, Status};
pub use create::Create;
pub use error::{Error, ErrorKind};
pub use exec::{Exec, Process};
pub use log::Level;
pub use runtime::{Builder, Runtime};

pub use reaper_sys as sys;

use std::ffi::CStr;

/// The library's version, "0.1.0" for instance.
pub fn version() -> Result<&'static str, Error> {
    ready()?;
    // SAFETY: a static string.
    Ok(unsafe { CStr::from_ptr(sys::reaper_version()) }.to_str().unwrap_or_default())
}

/// The source revision that the library was built from, or "unknown".
pub fn commit() -> Result<&'static str, Error> {
    ready()?;
    // SAFETY: a static string.
    Ok(unsafe { CStr::from_ptr(sys::reaper_commit()) }.to_str().unwrap_or_default())
}

/// The features object of the runtime specification, as JSON.
pub fn features() -> Result<String, Error> {
    ready()?;
    // SAFETY: both are addresses to write to.
    error::text(|out, err| unsafe { sys::reaper_features(out, err) })
}

/// A config.json to begin with, which runs as it stands for root and for an ordinary user.
pub fn spec() -> Result<String, Error> {
    ready()?;
    // SAFETY: both are addresses to write to.
    error::text(|out, err| unsafe { sys::reaper_spec(out, err) })
}

/// Loads libreaper from a path, or `libreaper.so.0` from where dlopen(3) looks for it. It is loaded once and stays.
/// Without this call, the first use of the crate does it.
///
/// # Safety
/// The file must be libreaper: whatever it is, its code runs.
#[cfg(feature = "dlopen")]
pub unsafe fn load(path: &std::path::Path) -> Result<(), Error> {
    use std::os::unix::ffi::OsStrExt;
    let name = error::c_text("the path of the library", path.as_os_str().as_bytes())?;
    if sys::load(name.as_ptr()) {
        return Ok(());
    }
    Err(Error::own(ErrorKind::Unsupported, format!("{} cannot be loaded as libreaper", path.display()), "load"))
}

#[cfg(feature = "dlopen")]
fn ready() -> Result<(), Error> {
    // SAFETY: the name is the library's own, which is looked for where the system's administrator says.
    if unsafe { sys::load(std::ptr::null()) } {
        return Ok(());
    }
    Err(Error::own(ErrorKind::Unsupported, "libreaper.so.0 cannot be loaded".to_string(), "load"))
}

#[cfg(not(feature = "dlopen"))]
fn ready() -> Result<(), Error> {
    Ok(())
}
