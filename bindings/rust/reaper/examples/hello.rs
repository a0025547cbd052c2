//! A container that prints a line as a user: hello [UID GID], by default the caller's own.
use reaper::{Create, Error, Runtime};
use std::io::{stderr, stdin, stdout};
use std::os::unix::fs::MetadataExt;

fn hello(uid: u32, gid: u32) -> Result<bool, Error> {
    let config = format!(
        r#"{{"ociVersion": "1.2.0", "process": {{"cwd": "/", "noNewPrivileges": true,
            "args": ["/bin/sh", "-c", "echo hello from user $(id -u)"],
            "env": ["PATH=/usr/bin:/bin"], "user": {{"uid": {uid}, "gid": {gid}}}}}}}"#
    );
    let (input, output, errors) = (stdin(), stdout(), stderr());
    let mut options = Create::new();
    options.config(config).stdin(&input).stdout(&output).stderr(&errors);
    let mut container = Runtime::new()?.create("hello", &options)?;
    // A container outlives its handle and this program: it is deleted in any case.
    let status = container.start().and_then(|()| container.wait());
    container.force_delete()?;
    Ok(status?.success())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let own = std::fs::metadata("/proc/self")?; // std has no getuid()
    let (uid, gid) = match arguments.as_slice() {
        [_, uid, gid] => (uid.parse()?, gid.parse()?),
        _ => (own.uid(), own.gid()),
    };
    std::process::exit(if hello(uid, gid)? { 0 } else { 1 });
}
