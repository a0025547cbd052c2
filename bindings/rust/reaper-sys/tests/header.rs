//! The crate against the C header, by the C compiler.
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../include");

/// What a C program prints that has this in its main().
fn compiled(body: &str) -> String {
    let directory = std::env::temp_dir().join(format!("reaper-sys-{}-{:p}", std::process::id(), body));
    std::fs::create_dir_all(&directory).unwrap();
    let (source, program) = (directory.join("header.c"), directory.join("header"));
    let text = format!(
        "#include <reaper.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {{\n{body}return 0;\n}}\n"
    );
    std::fs::write(&source, text).unwrap();
    let status = Command::new("cc").arg("-I").arg(INCLUDE).arg("-o").arg(&program).arg(&source).status().unwrap();
    assert!(status.success());
    let output = Command::new(&program).output().unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn structs_have_the_layout_of_the_header() {
    let (mut body, mut expected) = (String::new(), String::new());
    reaper_sys::layout(|name, field, number| {
        let what = if field.is_empty() { format!("sizeof({name})") } else { format!("offsetof({name}, {field})") };
        writeln!(body, "printf(\"{name}.{field} %zu\\n\", {what});").unwrap();
        writeln!(expected, "{name}.{field} {number}").unwrap();
    });
    assert!(expected.lines().count() > 30);
    assert_eq!(compiled(&body), expected);
}

#[test]
fn constants_have_the_values_of_the_header() {
    let (mut body, mut expected) = (String::new(), String::new());
    for (name, value) in reaper_sys::CONSTANTS {
        writeln!(body, "printf(\"{name} %lld\\n\", (long long)({name}));").unwrap();
        writeln!(expected, "{name} {value}").unwrap();
    }
    assert_eq!(compiled(&body), expected);
}

/// Words of the header that begin in some way.
fn words(begin: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(format!("{INCLUDE}/reaper.h")).unwrap();
    text.lines()
        .filter(|line| line.starts_with(begin))
        .filter_map(|line| {
            let word = line.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| {
                if begin.starts_with('#') {
                    word.starts_with("REAPER_")
                } else {
                    word.starts_with("reaper_") && line.contains(&format!("{word}("))
                }
            });
            word.map(str::to_string)
        })
        .collect()
}

#[test]
fn nothing_of_the_header_is_missing() {
    let functions: BTreeSet<String> = reaper_sys::FUNCTIONS.iter().map(|name| name.to_string()).collect();
    assert_eq!(functions, words("REAPER_API "));
    let constants: BTreeSet<String> = reaper_sys::CONSTANTS.iter().map(|(name, _)| name.to_string()).collect();
    let mut header = words("#define ");
    for own in ["REAPER_H", "REAPER_API"] {
        header.remove(own);
    }
    assert_eq!(constants, header);
}
