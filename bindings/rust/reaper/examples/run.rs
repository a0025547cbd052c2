//! Runs a bundle as a container with this program's standard descriptors, and exits as its program did: run ID BUNDLE
use reaper::{Create, Error, Level, Runtime};
use std::io::{stderr, stdin, stdout};

fn run(id: &str, bundle: &str) -> Result<i32, Error> {
    let runtime = Runtime::builder().log(Level::Warning, |_, message| eprintln!("{message}")).build()?;
    let (input, output, errors) = (stdin(), stdout(), stderr());
    let mut options = Create::new();
    options.bundle(bundle).stdin(&input).stdout(&output).stderr(&errors);
    let mut container = runtime.create(id, &options)?;
    // A container outlives its handle: it is deleted in any case.
    let status = container.start().and_then(|()| container.wait());
    container.force_delete()?;
    let status = status?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 3 {
        eprintln!("usage: run ID BUNDLE");
        std::process::exit(2);
    };
    let code = run(&arguments[1], &arguments[2]).unwrap_or_else(|error| {
        eprintln!("{error}");
        1
    });
    std::process::exit(code);
}
