//! Paths in every corner of the language.

use proptest::prelude::*;

use super::of;
use crate::module_tree::{ModuleTree, Scope};
use crate::sample;
use crate::sources::Sources;

/// The paths in `text` that have more than one part or are called as macros,
/// in the order of their lines.
fn paths(text: &str) -> Vec<(usize, String)> {
    let tree = sample::tree(&[("lib.rs", text)]);
    let sources = Sources::parse(&tree);
    assert_eq!(sources.problems, []);
    let modules = ModuleTree::build(&sources, "lib.rs", Scope::Product);
    let references = of(&modules, modules.root().unwrap());
    let mut paths: Vec<_> = references
        .into_iter()
        .filter(|reference| reference.path.len() > 1)
        .map(|reference| (reference.line, reference.path.join("::")))
        .collect();
    paths.sort();
    paths
}

fn only(text: &str) -> Vec<String> {
    paths(text).into_iter().map(|(_, path)| path).collect()
}

#[test]
fn paths_of_the_syntax_are_found() {
    let text = "
use a::b;
fn f(x: a::C<d::E>) -> impl a::F { a::g::<h::I>() }
impl a::T for super::S { type U = <a::V as a::W>::X; }
#[derive(a::D)] struct Y { z: [u8; a::N] }
#[b::c(d::e, with = \"f::g\", rename = \"no path\")] fn h() { match i { a::J => {} _ => {} } }
fn k() { use a::L; a::m!(); }
";
    let expected = [
        (2, "a::b"),
        (3, "a::C"),
        (3, "a::F"),
        (3, "a::g"),
        (3, "d::E"),
        (3, "h::I"),
        (4, "a::T"),
        (4, "a::W::X"),
        (4, "super::S"),
        (4, "a::V"),
        (5, "a::D"),
        (5, "a::N"),
        (6, "a::J"),
        (6, "b::c"),
        (6, "d::e"),
        (6, "f::g"),
        (7, "a::L"),
        (7, "a::m"),
    ];
    let mut expected = expected.map(|(line, path)| (line, path.to_owned()));
    expected.sort();
    assert_eq!(paths(text), expected);
}

#[test]
fn paths_in_macros_are_found() {
    assert_eq!(
        only("m!(a::b, x.c(d::e), 0..f::g, h::<i::j>::k);"),
        ["a::b", "d::e", "f::g", "i::j"]
    );
    assert_eq!(
        only("macro_rules! m { ($x:ty) => { $crate::a::b!(<$x>::c, ::d::e) }; }"),
        ["crate::a::b"]
    );
    assert_eq!(
        only("m! { use a::{b::C, d as e, f::*, g::{h, i}}; pub(crate) fn j() {} }"),
        ["a::b::C", "a::d", "a::f", "a::g::h", "a::g::i"]
    );
    assert_eq!(only("m!(\"a::b\", 'c', 'd: loop {}, // e::f\n);"), [""; 0]);
}

#[test]
fn what_uses_nothing_is_left_out() {
    assert_eq!(only("/// See [`a::b`].\npub(in crate::a) fn f() {}"), [""; 0]);
    assert_eq!(only("fn f() { ::a::b() } use ::c::d;"), [""; 0]);
    assert_eq!(only("mod i { use a::b; }"), [""; 0]);
}

#[test]
fn what_is_for_tests_only_is_left_out() {
    let text = "#[cfg(test)] use a::b;
#[test] fn t() { a::b() }
struct S;
impl S { #[cfg(test)] fn f() { a::b() } fn g() { #[cfg(test)] use a::b; } }
trait T { #[cfg(test)] fn f() { a::b() } }";
    assert_eq!(only(text), [""; 0]);
}

proptest! {
    #[test]
    fn a_path_is_found_however_deep_in_macros(
        open in "[(\\[{]{0,20}", before in "(x |, |= |&|!|1 |\"s\" |#){0,5}",
    ) {
        let close: String = open
            .chars()
            .rev()
            .map(|c| match c { '(' => ')', '[' => ']', _ => '}' })
            .collect();
        let text = format!("m!({open}{before} crate::a::b {close});");
        prop_assert_eq!(only(&text), ["crate::a::b"]);
    }

    #[test]
    fn no_tokens_are_too_strange(tokens in "([a-z]{1,2}|crate|::|[:;.,!'*]|\"a\"|[0-9]| ){0,30}") {
        let text = format!("#[a({tokens})] fn f() {{ m!({tokens}); }}");
        let tree = sample::tree(&[("lib.rs", &text)]);
        let sources = Sources::parse(&tree);
        let modules = ModuleTree::build(&sources, "lib.rs", Scope::Product);
        if let Some(root) = modules.root() {
            prop_assert!(!of(&modules, root).is_empty());
        }
    }
}
