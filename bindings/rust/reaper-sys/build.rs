//! Says where libreaper is: pkg-config knows, or CMake builds it (feature `vendored`). With `dlopen` nobody needs to know.
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn output(command: &mut Command) -> String {
    let text = format!("{command:?}");
    match command.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => panic!("{text}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn vendored() {
    let tree = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let (build, prefix) = (out.join("build"), out.join("prefix"));
    for part in ["CMakeLists.txt", "cmake", "include", "src"] {
        println!("cargo:rerun-if-changed={}", tree.join(part).display());
    }
    output(Command::new("cmake").arg("-S").arg(&tree).arg("-B").arg(&build).args([
        "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_INSTALL_LIBDIR=lib",
        "-DREAPER_STATIC=OFF",
        "-DREAPER_PCH=ON", // less time
        &format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display()),
    ]));
    let jobs = env::var("NUM_JOBS").unwrap_or_else(|_| "1".to_string());
    output(Command::new("cmake").arg("--build").arg(&build).args(["--parallel", &jobs]));
    output(Command::new("cmake").arg("--install").arg(&build));
    println!("cargo:include={}", prefix.join("include").display());
    println!("cargo:rustc-link-search=native={}", prefix.join("lib").display());
    println!("cargo:rustc-link-lib=dylib=reaper");
}

fn installed() {
    println!("cargo:rerun-if-env-changed=PKG_CONFIG");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_string());
    for flag in output(Command::new(program).args(["--libs", "--cflags", "reaper >= 0.1"])).split_whitespace() {
        if let Some(directory) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={directory}");
        } else if let Some(name) = flag.strip_prefix("-l") {
            println!("cargo:rustc-link-lib=dylib={name}");
        } else if let Some(directory) = flag.strip_prefix("-I") {
            println!("cargo:include={directory}"); // DEP_REAPER_INCLUDE for build scripts of crates above
        }
    }
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_DLOPEN").is_some() {
        println!("cargo:rustc-link-lib=dylib=dl"); // an empty archive since glibc 2.34
    } else if env::var_os("CARGO_FEATURE_VENDORED").is_some() {
        vendored();
    } else {
        installed();
    }
}
