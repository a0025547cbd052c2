//! `reaper.h`, by hand and to the letter: what a function does, changes and returns is said there. The crate `reaper` is
//! the one to use.
//!
//! Features: `vendored` builds the library from the tree that this crate lies in; `dlopen` links nothing, and `load`
//! finds the library when the program runs.
#![no_std]
#![allow(non_camel_case_types)]
#![warn(missing_docs)]

use core::ffi::c_void;

/// `char` of C.
#[cfg(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64",
    target_arch = "powerpc64",
    target_arch = "s390x"
))]
pub type c_char = u8;
/// `char` of C.
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64",
    target_arch = "powerpc64",
    target_arch = "s390x"
)))]
pub type c_char = i8;
/// `int` of C.
pub type c_int = i32;

macro_rules! opaque {
    ($($name:ident: $what:literal;)*) => {$(
        #[doc = $what]
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
            _not_send: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
        }
    )*};
}
opaque! {
    reaper_runtime: "A handle on a state directory.";
    reaper_container: "A handle on a container.";
    reaper_process: "A further process in a container.";
    reaper_error: "What went wrong.";
}

macro_rules! constants {
    ($($name:ident: $type:ty = $value:expr;)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of reaper.h.")]
        pub const $name: $type = $value;
    )*
        /// Every constant with its value, for tests against the header.
        pub const CONSTANTS: &[(&str, i64)] = &[$((stringify!($name), $name as i64),)*];
    };
}
constants! {
    REAPER_VERSION_MAJOR: u32 = 0;
    REAPER_VERSION_MINOR: u32 = 1;
    REAPER_VERSION_PATCH: u32 = 0;
    REAPER_OK: c_int = 0;
    REAPER_ERR_INVALID: c_int = -1;
    REAPER_ERR_UNSUPPORTED: c_int = -2;
    REAPER_ERR_NOT_FOUND: c_int = -3;
    REAPER_ERR_EXISTS: c_int = -4;
    REAPER_ERR_STATUS: c_int = -5;
    REAPER_ERR_BUSY: c_int = -6;
    REAPER_ERR_PERMISSION: c_int = -7;
    REAPER_ERR_SYSTEM: c_int = -8;
    REAPER_ERR_NO_MEMORY: c_int = -9;
    REAPER_ERR_TIMEOUT: c_int = -10;
    REAPER_ERR_CORRUPT: c_int = -11;
    REAPER_ERR_VERIFY: c_int = -12;
    REAPER_ERR_EXEC: c_int = -13;
    REAPER_ERR_UNKNOWN: c_int = -14;
    REAPER_ERR_INTERNAL: c_int = -15;
    REAPER_ERR_HOOK: c_int = -16;
    REAPER_LOG_ERROR: i32 = 1;
    REAPER_LOG_WARNING: i32 = 2;
    REAPER_LOG_INFO: i32 = 3;
    REAPER_LOG_DEBUG: i32 = 4;
    REAPER_CREATE_STDIO: u32 = 1 << 0;
    REAPER_CREATE_STRICT: u32 = 1 << 1;
    REAPER_CREATE_SUPERVISE: u32 = 1 << 2;
    REAPER_CREATE_NO_NEW_KEYRING: u32 = 1 << 3;
    REAPER_CREATE_NO_CGROUP: u32 = 1 << 4;
    REAPER_CREATE_NO_PIVOT: u32 = 1 << 5;
    REAPER_STATUS_CREATING: i32 = 1;
    REAPER_STATUS_CREATED: i32 = 2;
    REAPER_STATUS_RUNNING: i32 = 3;
    REAPER_STATUS_STOPPED: i32 = 4;
    REAPER_KILL_ALL: u32 = 1 << 0;
    REAPER_DELETE_FORCE: u32 = 1 << 0;
    REAPER_EXEC_STDIO: u32 = 1 << 0;
    REAPER_EXEC_STRICT: u32 = 1 << 1;
    REAPER_EXEC_LAY_OVER: u32 = 1 << 2;
    REAPER_EXEC_IGNORE_PAUSED: u32 = 1 << 3;
    REAPER_EXEC_NO_NEW_PRIVS: u32 = 1 << 4;
    REAPER_FORMAT_TEXT: u32 = 0;
    REAPER_FORMAT_JSON: u32 = 1;
}

/// Receives one message, on the thread that called the library and inside that call. It must not unwind.
pub type reaper_log_callback = Option<unsafe extern "C" fn(data: *mut c_void, level: i32, message: *const c_char)>;

macro_rules! structs {
    ($($name:ident: $what:literal { $($field:ident: $type:ty,)* })*) => {
        $(
            #[doc = $what]
            #[repr(C)]
            #[derive(Clone, Copy, Debug)]
            pub struct $name {
                $(#[doc = concat!("`", stringify!($field), "` of reaper.h.")] pub $field: $type,)*
            }
        )*
        /// Every struct with its size, and its members with their offsets, for tests against the header.
        pub fn layout(mut member: impl FnMut(&str, &str, usize)) {
            $(
                member(stringify!($name), "", core::mem::size_of::<$name>());
                let place = core::mem::MaybeUninit::<$name>::uninit();
                let start = place.as_ptr();
                // SAFETY: only addresses inside `place` are made, and nothing is read.
                $(member(stringify!($name), stringify!($field),
                    unsafe { core::ptr::addr_of!((*start).$field) } as usize - start as usize);)*
            )*
        }
    };
}
structs! {
    reaper_runtime_options: "Options of [`reaper_runtime_new`]." {
        size: u64,
        root: *const c_char,
        log: reaper_log_callback,
        log_data: *mut c_void,
        log_level: u32,
        flags: u32,
        lock_timeout_ms: u64,
        kill_timeout_ms: u64,
    }
    reaper_create_options: "Options of [`reaper_create`]." {
        size: u64,
        bundle: *const c_char,
        config: *const c_char,
        config_length: u64,
        pid_file: *const c_char,
        extra_fds: *const i32,
        extra_fd_count: u32,
        flags: u32,
        stdio: [i32; 3],
        listen_fd_count: u32,
        console_socket: *const c_char,
        console: *mut i32,
        listen_names: *const c_char,
    }
    reaper_exec_options: "Options of [`reaper_exec`]." {
        size: u64,
        process: *const c_char,
        process_length: u64,
        pid_file: *const c_char,
        extra_fds: *const i32,
        extra_fd_count: u32,
        flags: u32,
        stdio: [i32; 3],
        reserved: u32,
        console_socket: *const c_char,
        console: *mut i32,
    }
    reaper_exit_status: "What [`reaper_wait`] tells." {
        size: u64,
        exit_code: i32,
        signal: i32,
        core_dumped: u32,
        reserved: u32,
        started_at_ns: i64,
        finished_at_ns: i64,
        user_time_us: i64,
        system_time_us: i64,
        max_rss_kib: i64,
    }
}

macro_rules! functions {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        #[cfg(not(feature = "dlopen"))]
        extern "C" {
            $(#[doc = concat!("`", stringify!($name), "()` of reaper.h.")]
              pub fn $name($($argument: $type),*) $(-> $result)?;)*
        }

        #[cfg(feature = "dlopen")]
        #[derive(Clone, Copy)]
        struct Functions { $($name: unsafe extern "C" fn($($type),*) $(-> $result)?,)* }

        #[cfg(feature = "dlopen")]
        impl Functions {
            /// # Safety
            /// `find` must give the address of the function of that name, or NULL.
            unsafe fn find(mut find: impl FnMut(*const c_char) -> *mut c_void) -> Option<Functions> {
                $(let $name = find(concat!(stringify!($name), "\0").as_ptr().cast());)*
                if $($name.is_null())||* {
                    return None;
                }
                Some(Functions {
                    $($name: core::mem::transmute::<*mut c_void, unsafe extern "C" fn($($type),*) $(-> $result)?>($name),)*
                })
            }
        }

        $(
            #[cfg(feature = "dlopen")]
            #[doc = concat!("`", stringify!($name), "()` of reaper.h. Panics before `load` has succeeded.")]
            ///
            /// # Safety
            /// As reaper.h says.
            pub unsafe fn $name($($argument: $type),*) $(-> $result)? { (loaded::functions().$name)($($argument),*) }
        )*

        /// The name of every function, for tests against the header.
        pub const FUNCTIONS: &[&str] = &[$(stringify!($name),)*];
    };
}
functions! {
    fn reaper_error_code(error: *const reaper_error) -> i32;
    fn reaper_error_errno(error: *const reaper_error) -> i32;
    fn reaper_error_message(error: *const reaper_error) -> *const c_char;
    fn reaper_error_pointer(error: *const reaper_error) -> *const c_char;
    fn reaper_error_stage(error: *const reaper_error) -> *const c_char;
    fn reaper_error_free(error: *mut reaper_error);
    fn reaper_error_name(code: i32) -> *const c_char;
    fn reaper_free(string: *mut c_char);
    fn reaper_version() -> *const c_char;
    fn reaper_commit() -> *const c_char;
    fn reaper_features(out_json: *mut *mut c_char, err: *mut *mut reaper_error) -> c_int;
    fn reaper_runtime_new(options: *const reaper_runtime_options, out: *mut *mut reaper_runtime, err: *mut *mut reaper_error) -> c_int;
    fn reaper_runtime_free(runtime: *mut reaper_runtime);
    fn reaper_runtime_root(runtime: *const reaper_runtime) -> *const c_char;
    fn reaper_create(runtime: *mut reaper_runtime, id: *const c_char, options: *const reaper_create_options, out: *mut *mut reaper_container, err: *mut *mut reaper_error) -> c_int;
    fn reaper_open(runtime: *const reaper_runtime, id: *const c_char, out: *mut *mut reaper_container, err: *mut *mut reaper_error) -> c_int;
    fn reaper_container_free(container: *mut reaper_container);
    fn reaper_container_id(container: *const reaper_container) -> *const c_char;
    fn reaper_start(container: *mut reaper_container, err: *mut *mut reaper_error) -> c_int;
    fn reaper_state(container: *const reaper_container, out_json: *mut *mut c_char, err: *mut *mut reaper_error) -> c_int;
    fn reaper_status(container: *const reaper_container, out: *mut i32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_pid(container: *const reaper_container, out: *mut i32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_pidfd(container: *const reaper_container, out: *mut i32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_kill(container: *const reaper_container, signal: i32, flags: u32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_delete(container: *mut reaper_container, flags: u32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_delete_id(runtime: *mut reaper_runtime, id: *const c_char, flags: u32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_wait(container: *const reaper_container, timeout_ms: i64, out: *mut reaper_exit_status, err: *mut *mut reaper_error) -> c_int;
    fn reaper_exec(container: *const reaper_container, options: *const reaper_exec_options, out: *mut *mut reaper_process, err: *mut *mut reaper_error) -> c_int;
    fn reaper_process_free(process: *mut reaper_process);
    fn reaper_process_pid(process: *const reaper_process) -> i32;
    fn reaper_process_pidfd(process: *const reaper_process, out: *mut i32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_process_kill(process: *const reaper_process, signal: i32, err: *mut *mut reaper_error) -> c_int;
    fn reaper_process_wait(process: *const reaper_process, timeout_ms: i64, out: *mut reaper_exit_status, err: *mut *mut reaper_error) -> c_int;
    fn reaper_list(runtime: *const reaper_runtime, out_json: *mut *mut c_char, err: *mut *mut reaper_error) -> c_int;
    fn reaper_plan(runtime: *const reaper_runtime, options: *const reaper_create_options, format: u32, out: *mut *mut c_char, err: *mut *mut reaper_error) -> c_int;
    fn reaper_check(runtime: *const reaper_runtime, options: *const reaper_create_options, format: u32, out: *mut *mut c_char, err: *mut *mut reaper_error) -> c_int;
    fn reaper_spec(out_json: *mut *mut c_char, err: *mut *mut reaper_error) -> c_int;
}

#[cfg(feature = "dlopen")]
mod loaded;
#[cfg(feature = "dlopen")]
pub use loaded::load;
