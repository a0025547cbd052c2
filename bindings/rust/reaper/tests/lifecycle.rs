//! Whole lives, errors and handles, with real containers in a directory of each test's own.
use reaper::{Create, Error, ErrorKind, Exec, Level, Runtime, Status};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("reaper-rust-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Place(path)
    }

    fn runtime(&self) -> Runtime {
        Runtime::builder().root(self.0.join("root")).lock_timeout(Duration::from_secs(60)).build().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.0.join("root").is_dir() {
            let left: Vec<_> = std::fs::read_dir(self.0.join("root")).unwrap().collect();
            assert!(left.is_empty(), "{left:?}");
        }
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn shell(script: &str, more: &str) -> String {
    format!(
        r#"{{"ociVersion":"1.2.0","process":{{"args":["/bin/sh","-c","{script}"],"cwd":"/","env":["PATH=/usr/bin:/bin"],"noNewPrivileges":true{more}}}}}"#
    )
}

fn config(text: &str) -> Create<'static> {
    let mut create = Create::new();
    create.config(text);
    create
}

/// A pipe of the standard library, by way of a socket pair (1.63 has no pipe).
fn pair() -> (File, File) {
    let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
    (File::from(OwnedFd::from(one)), File::from(OwnedFd::from(other)))
}

#[track_caller]
fn assert_error<T>(result: Result<T, Error>, kind: ErrorKind, pointer: &str, part: &str) {
    let error = match result {
        Ok(_) => panic!("no error"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.pointer(), pointer, "{error}");
    assert!(error.message().contains(part) && !error.to_string().contains('\n'), "{error}");
    assert!(!error.stage().is_empty(), "{error:?}");
}

#[test]
fn a_whole_life() {
    let place = Place::new("life");
    let runtime = place.runtime();
    let mut container = runtime.create("life", &config(&shell("exit 7", ""))).unwrap();
    assert_eq!(container.id(), "life");
    assert_eq!(container.status().unwrap(), Status::Created);
    assert!(container.state().unwrap().contains(&format!("\"pid\":{}", container.pid().unwrap())));
    assert!(runtime.list().unwrap().contains("\"id\":\"life\""));
    container.start().unwrap();
    let status = container.wait().unwrap();
    assert_eq!((status.code(), status.signal(), status.success()), (Some(7), None, false));
    assert!(status.started_at().is_some() && status.user_time().is_some() && status.max_rss().unwrap() > 0);
    assert_eq!(container.status().unwrap(), Status::Stopped);
    container.delete().unwrap();
    assert_eq!(container.wait().unwrap().code(), Some(7));
    assert_error(container.state(), ErrorKind::NotFound, "", "does not exist");
}

#[test]
fn signals_and_threads() {
    let place = Place::new("signals");
    let runtime = place.runtime();
    let mut container = runtime.create("x", &config(&shell("exec sleep 1000", ""))).unwrap();
    container.start().unwrap();
    assert_error(container.wait_timeout(Duration::ZERO), ErrorKind::Timeout, "", "still runs");
    let other = runtime.open("x").unwrap();
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let waits: Vec<_> = (0..8)
            .map(|i| {
                scope.spawn({
                    let (a, b) = (&container, &other);
                    move || if i % 2 == 0 { a } else { b }.wait().unwrap()
                })
            })
            .collect();
        container.kill(15).unwrap();
        waits.into_iter().map(|wait| wait.join().unwrap().signal()).collect()
    });
    assert_eq!(statuses, [Some(15); 8]);
    assert_error(container.kill(15), ErrorKind::Status, "", "container not running");
    container.kill_all(9).unwrap();
    drop(other);
    drop(container);
    let mut runtime = runtime;
    runtime.delete("x").unwrap();
    assert_error(runtime.force_delete("x"), ErrorKind::NotFound, "", "does not exist");
}

#[test]
fn descriptors_reach_the_program() {
    let place = Place::new("descriptors");
    let runtime = place.runtime();
    let (mut input, theirs_in) = pair();
    let (mut output, theirs_out) = pair();
    let null = File::open("/dev/null").unwrap();
    let text = shell("read l; echo $l $LISTEN_FDS $LISTEN_FDNAMES; readlink /proc/self/fd/3", "");
    let mut create = config(&text);
    create.stdin(&theirs_in).stdout(&theirs_out).extra_fd(&null).listen_fds(1, Some("n"));
    create.pid_file(place.0.join("pid"));
    let mut container = runtime.create("x", &create).unwrap();
    assert_eq!(std::fs::read_to_string(place.0.join("pid")).unwrap(), container.pid().unwrap().to_string());
    container.start().unwrap();
    drop(create);
    drop((theirs_in, theirs_out));
    input.write_all(b"word\n").unwrap();
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    assert_eq!(text, "word 1 n\n/dev/null\n");
    assert!(container.wait().unwrap().success());
    container.delete().unwrap();
}

#[test]
fn a_pidfd_is_owned_and_readable_at_the_end() {
    let place = Place::new("pidfd");
    let runtime = place.runtime();
    let mut container = runtime.create("x", &config(&shell("true", ""))).unwrap();
    let pidfd = container.pidfd().unwrap();
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).unwrap();
    assert!(info.contains(&format!("Pid:\t{}", container.pid().unwrap())), "{info}");
    container.force_delete().unwrap();
}

#[test]
fn the_console_is_handed_over_once() {
    let place = Place::new("console");
    if File::options().read(true).write(true).open("/dev/ptmx").is_err() {
        skip("no terminal can be made: /dev/ptmx");
        return;
    }
    let runtime = place.runtime();
    let mut create = config(&shell("tty", ",\"terminal\":true"));
    create.console(true);
    let mut container = runtime.create("x", &create).unwrap();
    let mut console = File::from(container.take_console().unwrap());
    assert!(container.take_console().is_none());
    container.start().unwrap();
    let (mut text, mut buffer) = (Vec::new(), [0; 100]);
    while let Ok(length) = console.read(&mut buffer) {
        text.extend(&buffer[..length]);
    }
    assert!(String::from_utf8(text).unwrap().starts_with("/dev/pts/"));
    assert!(container.wait().unwrap().success());
    container.delete().unwrap();
}

#[test]
fn errors_name_field_and_step() {
    let place = Place::new("errors");
    let mut runtime = place.runtime();
    assert_error(runtime.create("no id!", &config(&shell("true", ""))), ErrorKind::Invalid, "", "");
    assert_error(runtime.create("x", Create::new().bundle("/no/such")), ErrorKind::NotFound, "", "/no/such");
    let bad = shell("true", "").replace("\"cwd\":\"/\"", "\"cwd\":7");
    assert_error(runtime.plan(&config(&bad)), ErrorKind::Invalid, "/process/cwd", "");
    let odd = shell("true", ",\"capabilites\":{}");
    assert_error(
        runtime.create("x", config(&odd).strict(true)),
        ErrorKind::Invalid,
        "/process/capabilites",
        "did you mean",
    );
    assert!(runtime.plan_json(&config(&odd)).unwrap().contains("\"execve\""));
    assert!(runtime.check(&config(&odd)).unwrap().starts_with("warning: "));
    assert!(runtime.check_json(&config(&odd)).unwrap().starts_with("{\"ok\":true"));
    let _kept = runtime.create("x", &config(&odd)).unwrap();
    assert_error(runtime.create("x", &config(&odd)), ErrorKind::Exists, "", "");
    assert_error(runtime.delete("x"), ErrorKind::Status, "", "");
    runtime.force_delete("x").unwrap();
    let error = runtime.create("x", Create::new().bundle("/no/such")).err().unwrap();
    assert_eq!((error.errno(), std::io::Error::from(error).kind()), (Some(2), std::io::ErrorKind::NotFound));
}

/// C would read up to the first NUL: another id, another path.
#[test]
fn nul_bytes_are_refused() {
    let place = Place::new("nul");
    let mut runtime = place.runtime();
    let good = config(&shell("true", ""));
    assert_error(runtime.create("a\0b", &good), ErrorKind::Invalid, "", "NUL");
    assert_error(runtime.open("a\0b"), ErrorKind::Invalid, "", "NUL");
    assert_error(runtime.force_delete("a\0b"), ErrorKind::Invalid, "", "NUL");
    assert_error(Runtime::builder().root("/tmp\0x").build(), ErrorKind::Invalid, "", "NUL");
    assert_error(runtime.plan(good.clone().bundle("a\0b")), ErrorKind::Invalid, "", "NUL");
    assert_error(runtime.plan(good.clone().pid_file("a\0b")), ErrorKind::Invalid, "", "NUL");
    assert_error(runtime.plan(good.clone().console_socket("a\0b")), ErrorKind::Invalid, "", "NUL");
    assert_error(runtime.plan(good.clone().listen_fds(0, Some("a\0b"))), ErrorKind::Invalid, "", "NUL");
}

#[test]
fn containers_log_after_their_runtime_has_gone() {
    let place = Place::new("log");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&lines);
    let runtime = Runtime::builder()
        .root(place.0.join("root"))
        .log(Level::Debug, move |level, message| keep.lock().unwrap().push((level, message.to_string())))
        .build()
        .unwrap();
    let text = shell("true", ",\"capabilites\":{}")
        .replace("\"process\"", "\"hooks\":{\"poststop\":[{\"path\":\"/bin/false\"}]},\"process\"");
    let mut container = runtime.create("x", &config(&text)).unwrap();
    drop(runtime);
    container.force_delete().unwrap();
    let said =
        |part: &str| lines.lock().unwrap().iter().any(|(level, line)| *level == Level::Warning && line.contains(part));
    assert!(said("capabilites") && said("poststop"), "{lines:?}");
    assert_eq!(Arc::strong_count(&lines), 2);
    drop(container);
    assert_eq!(Arc::strong_count(&lines), 1);
}

#[test]
fn many_threads_have_lives_of_their_own() {
    let place = Place::new("many");
    let runtime = place.runtime();
    std::thread::scope(|scope| {
        for i in 0..50 {
            let runtime = &runtime;
            scope.spawn(move || {
                let mut container =
                    runtime.create(&format!("c{i}"), &config(&shell(&format!("exit {i}"), ""))).unwrap();
                container.start().unwrap();
                assert_eq!(container.wait().unwrap().code(), Some(i));
                container.delete().unwrap();
            });
        }
    });
}

/// The line that reports count: past the harness, which keeps what a passing test prints.
fn skip(reason: &str) {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "SKIP: {reason}").unwrap();
}

fn may_make_roots() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let admin = u64::from_str_radix(&line("CapEff:"), 16).unwrap() & (1 << 21) != 0; // CAP_SYS_ADMIN
    let may = admin && line("Uid:").starts_with("0\t");
    if !may {
        skip("making namespaces needs CAP_SYS_ADMIN");
    }
    may
}

/// What a shell says in a container with namespaces and that root.
fn said_in_a_root(place: &Place, root: &str, program: &str, script: &str, no_pivot: bool) -> String {
    let text = format!(
        r#"{{"ociVersion":"1.2.0","hostname":"inside","process":{{"args":[{program},"-c","{script}"],
        "cwd":"/","env":["PATH=/usr/bin:/bin"]}},"root":{{"path":"{root}","readonly":true}},
        "mounts":[{{"destination":"/proc","type":"proc","source":"proc"}},
        {{"destination":"/dev","type":"tmpfs","source":"tmpfs"}}],"linux":{{"namespaces":[{{"type":"mount"}},
        {{"type":"pid"}},{{"type":"ipc"}},{{"type":"uts"}},{{"type":"network"}}]}}}}"#
    );
    let (mut ours, theirs) = pair();
    let mut create = config(&text);
    create.bundle(&place.0);
    let mut container = place.runtime().create("rooted", create.no_pivot(no_pivot).stdout(&theirs)).unwrap();
    drop(create);
    drop(theirs);
    container.start().unwrap();
    assert!(container.wait().unwrap().success());
    let mut said = String::new();
    ours.read_to_string(&mut said).unwrap();
    container.delete().unwrap();
    said
}

/// A container with namespaces and a root of its own: busybox, copied into the bundle.
#[test]
fn busybox_in_a_root() {
    if !may_make_roots() {
        return;
    }
    if std::fs::metadata("/bin/busybox").is_err() {
        skip("no busybox here");
        return;
    }
    let place = Place::new("busybox");
    std::fs::create_dir_all(place.0.join("rootfs/bin")).unwrap();
    std::fs::copy("/bin/busybox", place.0.join("rootfs/bin/busybox")).unwrap();
    for no_pivot in [false, true] {
        let script = "echo $$; busybox hostname; busybox ls /";
        let said = said_in_a_root(&place, "rootfs", r#""/bin/busybox","sh""#, script, no_pivot);
        assert_eq!(said, "1\ninside\nbin\ndev\nproc\n");
    }
}

/// The same with the root of Debian's that the tests of a build share (tests/debian_root.sh).
#[test]
fn debian_in_a_root() {
    if !may_make_roots() {
        return;
    }
    let root = std::env::var("REAPER_DEBIAN_ROOT").unwrap_or_default();
    if root.is_empty() {
        skip("no Debian root here");
        return;
    }
    let script = ". /etc/os-release; echo $$ $ID $VERSION_CODENAME; hostname; id -un; \
        touch /x 2>/dev/null || echo read-only; apt-get --version | head -n 1 | cut -c 1-3; dpkg --verify coreutils && \
        echo verified; python3 -c 'print(6*7)'";
    let said = said_in_a_root(&Place::new("debian"), &root, r#""/bin/bash""#, script, false);
    assert_eq!(said, "1 debian bookworm\ninside\nroot\nread-only\napt\nverified\n42\n");
}

#[test]
fn what_the_library_says_of_itself() {
    assert!(!reaper::version().unwrap().is_empty() && !reaper::commit().unwrap().is_empty());
    assert!(reaper::features().unwrap().contains("ociVersionMin"));
    assert!(reaper::spec().unwrap().contains("\"process\""));
}

#[test]
fn handles_are_send_and_sync() {
    fn both<T: Send + Sync>() {}
    both::<reaper::Container>();
    both::<Runtime>();
    both::<Error>();
    both::<Create<'_>>();
}

#[cfg(feature = "serde")]
#[test]
fn a_config_from_oci_spec() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new("serde");
    let runtime = place.runtime();
    let owner = std::fs::metadata(&place.0).unwrap();
    let user = format!(",\"user\":{{\"uid\":{},\"gid\":{}}}", owner.uid(), owner.gid());
    let spec: serde_json::Value = serde_json::from_str(&shell("exit 9", &user)).unwrap();
    let spec: oci_spec::runtime::Spec = serde_json::from_value(spec).unwrap();
    let mut create = Create::new();
    create.config_of(&spec).unwrap();
    let mut container = runtime.create("x", &create).unwrap();
    container.start().unwrap();
    assert_eq!(container.wait().unwrap().code(), Some(9));
    container.delete().unwrap();
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn waits_in_tasks() {
    let place = Place::new("tokio");
    let runtime = place.runtime();
    let mut container = runtime.create("x", &config(&shell("exec sleep 1000", ""))).unwrap();
    container.start().unwrap();
    let short = tokio::time::timeout(Duration::from_millis(20), container.wait_async()).await;
    assert!(short.is_err() && container.status().unwrap() == Status::Running);
    let (waited, ()) = tokio::join!(container.wait_async(), async { container.kill(9).unwrap() });
    assert_eq!(waited.unwrap().signal(), Some(9));
    container.delete().unwrap();
    assert_eq!(container.wait_async().await.unwrap().signal(), Some(9));
}

fn process(script: &str) -> String {
    format!(r#"{{"args":["/bin/sh","-c","{script}"],"cwd":"/","env":["PATH=/usr/bin:/bin"]}}"#)
}

#[test]
fn further_processes() {
    let place = Place::new("exec");
    let runtime = place.runtime();
    let mut container = runtime.create("exec", &config(&shell("exec sleep 1000", ",\"oomScoreAdj\":600"))).unwrap();
    container.start().unwrap();
    let (mut read, write) = pair();
    let process_text = process("echo hello; exit 7");
    let mut exec = Exec::new(process_text);
    let pid_file = place.0.join("pid");
    exec.stdout(&write).pid_file(&pid_file);
    let seven = container.exec(&exec).unwrap();
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello\n");
    assert_eq!(seven.wait().unwrap().code(), Some(7));
    assert_eq!(seven.wait().unwrap().code(), Some(7));
    assert_eq!(std::fs::read_to_string(&pid_file).unwrap(), seven.pid().to_string());
    assert_error(seven.kill(15), ErrorKind::Status, "", "has ended");

    let mut over = Exec::new(r#"{"args":["/bin/sh","-c","test $(cat /proc/self/oom_score_adj) = 600"]}"#);
    over.lay_over(true).no_new_privs(true).ignore_paused(true).strict(true);
    assert!(container.exec(&over).unwrap().wait().unwrap().success());

    let sleeper = container.exec(&Exec::new(process("exec sleep 1000"))).unwrap();
    assert_error(sleeper.wait_timeout(Duration::ZERO), ErrorKind::Timeout, "", "still runs");
    assert!(sleeper.pidfd().unwrap().as_raw_fd() > 2);
    sleeper.kill(9).unwrap();
    assert_eq!(sleeper.wait().unwrap().signal(), Some(9));

    let missing = container.exec(&Exec::new(r#"{"args":["/nowhere"],"cwd":"/"}"#));
    assert_error(missing, ErrorKind::Exec, "/process/args/0", "no such file or directory");
    container.force_delete().unwrap();
    assert_error(container.exec(&Exec::new(process("true"))), ErrorKind::NotFound, "", "does not exist");
}
