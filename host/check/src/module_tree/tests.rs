//! Finding the files of modules.

use super::{ModuleTree, Scope};
use crate::sample;
use crate::sources::Sources;

/// The files of the modules that `files` form, the first being the root, and
/// the problems.
fn found(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let tree = sample::tree(files);
    let sources = Sources::parse(&tree);
    let modules = ModuleTree::build(&sources, files[0].0, Scope::Product);
    let paths = modules.ids().map(|id| modules.file(id).to_owned()).collect();
    (paths, modules.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn files_are_found_where_rustc_finds_them() {
    let (paths, problems) = found(&[
        (
            "s/lib.rs",
            "mod a; mod r#mod; mod i { mod c; #[path = \"x.rs\"] mod d; }
             #[path = \"y/z.rs\"] mod e;",
        ),
        ("s/a.rs", "mod b; mod j { mod k; } #[path = \"p.rs\"] mod p;"),
        ("s/a/b.rs", ""),
        ("s/a/j/k.rs", ""),
        ("s/p.rs", ""),
        ("s/mod/mod.rs", "mod n;"),
        ("s/mod/n.rs", ""),
        ("s/i/c.rs", ""),
        ("s/i/x.rs", ""),
        ("s/y/z.rs", "mod w;"),
        ("s/y/w.rs", ""),
    ]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(
        paths,
        [
            "s/lib.rs",
            "s/a.rs",
            "s/mod/mod.rs",
            "s/lib.rs",
            "s/y/z.rs",
            "s/a/b.rs",
            "s/a.rs",
            "s/p.rs",
            "s/mod/n.rs",
            "s/i/c.rs",
            "s/i/x.rs",
            "s/y/w.rs",
            "s/a/j/k.rs",
        ]
    );
}

#[test]
fn missing_files_are_reported_and_tests_left_out() {
    let (paths, problems) = found(&[
        (
            "s/lib.rs",
            "mod a;\n#[cfg(test)] mod b;\n\
             #[path = \"../../x.rs\"] mod c;\n#[path = \"c.inc\"] mod d;",
        ),
        ("s/c.inc", ""),
    ]);
    assert_eq!(paths, ["s/lib.rs"]);
    assert_eq!(
        problems,
        [
            "s/lib.rs:1: module a has no Rust file s/a.rs or s/a/mod.rs",
            "s/lib.rs:3: module c has no Rust file ../../x.rs",
            "s/lib.rs:4: module d has no Rust file s/c.inc",
        ]
    );
}

#[test]
fn a_file_that_does_not_parse_is_not_missing() {
    assert_eq!(found(&[("s/lib.rs", "mod a;"), ("s/a.rs", "fn fn")]).1, [""; 0]);
}

#[test]
fn a_file_that_declares_itself_ends() {
    let (paths, _) = found(&[
        (
            "s/lib.rs",
            "#[path = \"lib.rs\"] mod a; #[path = \"b.rs\"] mod b; #[path = \"b.rs\"] mod c;",
        ),
        ("s/b.rs", "#[path = \"b.rs\"] mod b;"),
    ]);
    assert_eq!(paths, ["s/lib.rs", "s/b.rs"]);
}
