//! Circles and their absence in small crates.

use proptest::prelude::*;

use super::check;
use crate::sample::problems;

const MANIFEST: (&str, &str) = ("a/Cargo.toml", "[package]\nname = \"a\"");

/// What the check says about a crate of these files in `src`.
fn said(files: &[(&str, &str)]) -> Vec<String> {
    let paths: Vec<String> = files.iter().map(|(path, _)| format!("a/src/{path}")).collect();
    let mut all = vec![MANIFEST];
    all.extend(paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), *text)));
    problems(check, &all)
}

/// The chain of the only circle, without the folder.
fn chain(files: &[(&str, &str)]) -> String {
    let said = said(files);
    assert_eq!(said.len(), 1, "{said:?}");
    let (_, chain) = said[0].split_once("files form a circle: ").expect("a chain");
    chain.replace("a/src/", "")
}

fn assert_none(files: &[(&str, &str)]) {
    assert_eq!(said(files), [""; 0]);
}

#[test]
fn a_tree_that_only_looks_down_passes() {
    assert_none(&[
        ("lib.rs", "mod a; mod b; pub use a::A; fn f() { b::g() }"),
        ("a.rs", "mod c; pub struct A(c::C); use crate::b::g;"),
        ("a/c.rs", "pub struct C; use crate::b;"),
        ("b.rs", "pub fn g() {}"),
    ]);
}

#[test]
fn declaring_a_child_that_looks_up_is_no_circle() {
    assert_none(&[("lib.rs", "mod a; struct S;"), ("a.rs", "use super::S; fn f(_: crate::S) {}")]);
}

#[test]
fn a_parent_and_a_child_that_use_each_other_are_one() {
    let child = ("a.rs", "\nuse crate::SIZE;\npub struct A;");
    assert_eq!(
        chain(&[("lib.rs", "mod a;\npub const SIZE: u8 = 1;\npub use a::A;"), child]),
        "a.rs:2 -> lib.rs:3 -> a.rs"
    );
    assert_eq!(
        said(&[("lib.rs", "mod a; pub const SIZE: u8 = 1; fn f() { a::g() }"), child]),
        ["a/src/a.rs:2: files form a circle: a/src/a.rs:2 -> a/src/lib.rs:1 -> a/src/a.rs"]
    );
}

#[test]
fn siblings_and_long_chains_are_found() {
    assert_eq!(
        chain(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use super::b::B;\npub struct A;"),
            ("b.rs", "pub struct B;\nfn f() { crate::c::g() }"),
            ("c.rs", "pub fn g() {\n let _ = std::vec![crate::a::A]; }"),
        ]),
        "a.rs:1 -> b.rs:2 -> c.rs:2 -> a.rs"
    );
}

#[test]
fn re_exports_lead_to_the_file_that_defines() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A; pub use self::b::{B as C, f};"),
        ("a.rs", "pub struct A; "),
        ("b.rs", "pub struct B(crate::A); pub fn f() {}"),
    ];
    assert_none(&files);
    let mut circle = files;
    circle[1].1 = "pub struct A;\nfn g() { crate::f() }";
    assert_eq!(chain(&circle), "a.rs:2 -> b.rs:1 -> a.rs");
    circle[1].1 = "use super::*;\npub struct A(C);";
    let text = chain(&[circle[0], circle[1], ("b.rs", "pub struct B; pub fn f() {}")]);
    assert_eq!(text, "a.rs:1 -> lib.rs:1 -> a.rs");
}

#[test]
fn globs_are_followed_and_may_be_mutual() {
    assert_eq!(
        chain(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "pub use super::b::*;\npub struct A;"),
            ("b.rs", "pub use super::a::*;\npub use super::c::*;"),
            ("c.rs", "pub struct C;"),
        ]),
        "a.rs:1 -> b.rs:1 -> a.rs"
    );
    // `C` comes through two globs, from the file that uses `d`.
    assert_eq!(
        chain(&[
            ("lib.rs", "mod b; mod c; mod d;"),
            ("b.rs", "pub use super::c::*;"),
            ("c.rs", "pub struct C; use super::d::D;"),
            ("d.rs", "use crate::b::C; pub struct D;"),
        ]),
        "c.rs:1 -> d.rs:1 -> c.rs"
    );
}

#[test]
fn aliases_of_modules_are_followed() {
    assert_eq!(
        chain(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate as root;\nfn f() { root::b::g() }\npub struct A;"),
            ("b.rs", "use super::a::{self as other};\npub fn g() -> other::A {}"),
        ]),
        "a.rs:2 -> b.rs:1 -> a.rs"
    );
}

#[test]
fn macros_point_to_where_they_are_defined() {
    let lib = "#[macro_use] mod a; mod b;";
    assert_eq!(
        chain(&[
            ("lib.rs", lib),
            ("a.rs", "macro_rules! m { () => { $crate::b::f() } }"),
            ("b.rs", "pub fn f() {}\nm!();"),
        ]),
        "a.rs:1 -> b.rs:2 -> a.rs"
    );
    assert_eq!(
        chain(&[
            ("lib.rs", lib),
            ("a.rs", "use crate::b::f;\n#[macro_export] macro_rules! m { () => {} }"),
            ("b.rs", "pub fn f() { crate::m!() }"),
        ]),
        "a.rs:1 -> b.rs:1 -> a.rs"
    );
    assert_eq!(
        chain(&[
            ("lib.rs", lib),
            ("a.rs", "use crate::b::f; macro_rules! m { () => {} } pub(crate) use m;"),
            ("b.rs", "use crate::a::m as n; pub fn f() { n!() }"),
        ]),
        "a.rs:1 -> b.rs:1 -> a.rs"
    );
}

#[test]
fn what_a_macro_defines_belongs_to_its_file() {
    assert_eq!(
        chain(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "bitflags! { pub struct A: u8 {} } use crate::b::B;"),
            ("b.rs", "pub struct B(super::a::A);"),
        ]),
        "a.rs:1 -> b.rs:1 -> a.rs"
    );
}

#[test]
fn names_that_only_look_alike_are_no_references() {
    assert_none(&[
        ("lib.rs", "mod a; mod b; use b::B; fn f(a: u8) -> u8 { a + a.b() + B { a } }"),
        ("a.rs", "use super::f; use std::b::C; fn g() { ::b::h(); std::vec!['b'] }"),
        ("b.rs", "use core::fmt; impl fmt::Display for B {} pub struct B { a: u8 }"),
    ]);
    // An import of something from outside, taken over from the parent.
    assert_none(&[
        ("lib.rs", "mod a; use std::fmt; fn f() { a::g() }"),
        ("a.rs", "use super::fmt; pub fn g() {}"),
    ]);
}

#[test]
fn tests_may_look_at_what_they_like() {
    assert_none(&[
        ("lib.rs", "mod a; pub use a::A; struct S; #[cfg(test)] mod tests;"),
        ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::S; }"),
        ("tests.rs", "use super::*;"),
    ]);
}

#[test]
fn a_library_and_its_program_are_two_crates() {
    assert_none(&[
        ("lib.rs", "pub mod b;"),
        ("main.rs", "mod c; fn main() { c::d() }"),
        ("b.rs", ""),
        ("c.rs", "pub fn d() { a::b::e() }"),
    ]);
    assert_eq!(
        chain(&[
            ("lib.rs", ""),
            ("main.rs", "mod c; fn main() { c::d() }"),
            ("c.rs", "pub fn d() { crate::main() }"),
        ]),
        "c.rs:1 -> main.rs:1 -> c.rs"
    );
}

#[test]
fn inline_modules_belong_to_their_file() {
    assert_none(&[("lib.rs", "mod a { pub struct A; use super::B; } struct B; use a::A;")]);
    assert_eq!(
        chain(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "mod inner { pub use super::super::b::B; } pub struct A;"),
            ("b.rs", "pub struct B(crate::a::A, crate::a::inner::B);"),
        ]),
        "a.rs:1 -> b.rs:1 -> a.rs"
    );
}

#[test]
fn every_separate_circle_is_reported() {
    let said = said(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::a::A; pub struct B;"),
        ("c.rs", "use crate::d::D; pub struct C;"),
        ("d.rs", "use crate::c::C; pub struct D;"),
    ]);
    assert_eq!(said.len(), 2);
}

proptest! {
    /// Crates whose files use each other at random: a circle is reported
    /// exactly if some file can be reached from itself.
    #[test]
    fn random_crates_are_judged_rightly(
        uses in prop::collection::vec((0usize..6, 0usize..6, 0usize..4), 0..10)
    ) {
        let name = |index: usize| char::from(b'a' + index as u8);
        let mut texts: Vec<String> =
            (0..6).map(|i| format!("pub struct S{i}; pub fn f{i}() {{}}\n")).collect();
        let mut reach = [[false; 6]; 6];
        for (from, to, form) in uses {
            let m = name(to);
            texts[from] += &match form {
                0 => format!("use crate::{m}::S{to} as _;\n"),
                1 => format!("const _: () = super::{m}::f{to}();\n"),
                2 => format!("println!(\"{{}}\", crate::{m}::f{to}());\n"),
                _ => format!("fn g() {{ use crate::S{to}; }}\n"),
            };
            reach[from][to] |= from != to;
        }
        for middle in 0..6 {
            for from in 0..6 {
                for to in 0..6 {
                    reach[from][to] |= reach[from][middle] && reach[middle][to];
                }
            }
        }
        let root: String =
            (0..6).map(|i| format!("mod {0}; pub use {0}::S{i};\n", name(i))).collect();
        let paths: Vec<String> = (0..6).map(|i| format!("{}.rs", name(i))).collect();
        let mut files = vec![("lib.rs", root.as_str())];
        files.extend(paths.iter().zip(&texts).map(|(path, text)| (path.as_str(), text.as_str())));
        prop_assert_eq!(!said(&files).is_empty(), (0..6).any(|i| reach[i][i]));
    }
}
