//! Files that cannot be used become problems with a place.

use proptest::prelude::*;

use super::{Sources, check};
use crate::module_circles;
use crate::nesting::with_room;
use crate::sample;
use crate::tree::{Content, Tree};

const ROOT: (&str, &str) = ("Cargo.toml", "[workspace]");

fn complaints(tree: &Tree) -> Vec<String> {
    check(&Sources::parse(tree)).iter().map(ToString::to_string).collect()
}

#[test]
fn good_files_are_parsed() {
    let tree = sample::tree(&[
        ("a/Cargo.toml", "[package]\nname = \"a\""),
        ("a/src/lib.rs", "//! A.\npub fn a() {}\n"),
    ]);
    let sources = Sources::parse(&tree);
    assert!(sources.problems.is_empty());
    assert!(sources.rust.contains_key("a/src/lib.rs"));
    assert!(sources.workspace.package_in("a").is_some());
}

#[test]
fn bad_files_are_reported_with_their_line() {
    let mut tree = sample::tree(&[
        ("Cargo.toml", "[workspace]\nmembers = "),
        ("a/Cargo.toml", "[package]\nversion = \"1\""),
        ("a/lex.rs", "fn a() {}\n\"open"),
        ("a/parse.rs", "fn a() {}\n\nfn fn"),
    ]);
    tree.insert("a/bytes.rs", Content::Unreadable("no UTF-8".into()));
    assert_eq!(
        complaints(&tree),
        [
            "a/bytes.rs: cannot be read: no UTF-8",
            "a/lex.rs:2: not Rust: a token is malformed",
            "a/parse.rs:3: not Rust that the parser knows: expected identifier, found keyword `fn`",
            "Cargo.toml:2: not a manifest that cargo would take: \
             string values must be quoted, expected literal string",
            "a/Cargo.toml: [package] has no name",
        ]
    );
}

#[test]
fn another_folder_is_recognised() {
    assert_eq!(complaints(&sample::tree(&[ROOT])), [""; 0]);
    assert_eq!(
        complaints(&Tree::default()),
        ["Cargo.toml: missing: this folder is not the root of the repository"]
    );
}

/// What reading and the check with the deepest recursion say about a function
/// of `count` nested `open`, in a thread like that of the real run.
fn said_of_nested(open: &str, close: &str, count: usize) -> Vec<String> {
    let (opened, closed) = (open.repeat(count), close.repeat(count));
    let text = format!("//! A.\nfn a() {{\n{opened}1{closed} }}");
    let manifest = ("a/Cargo.toml", "[package]\nname = \"a\"");
    let tree = sample::tree(&[ROOT, manifest, ("a/src/lib.rs", &text)]);
    with_room(|| {
        let sources = Sources::parse(&tree);
        assert_eq!(module_circles::check(&sources), []);
        check(&sources).iter().map(ToString::to_string).collect()
    })
    .unwrap()
}

#[test]
fn the_deepest_that_is_accepted_can_be_parsed() {
    let shapes =
        [("(", ")", 85), ("!", "", 970), ("x=", "", 480), ("{", "}", 85), ("while {-", "} {}", 75)];
    for (open, close, count) in shapes {
        assert_eq!(said_of_nested(open, close, count), [""; 0]);
        for too_many in [2 * count, 100_000] {
            let refused = ["a/src/lib.rs:3: nested deeper than 1000 levels: simplify"];
            assert_eq!(said_of_nested(open, close, too_many), refused);
        }
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(
        text in "\\PC{0,60}",
        tokens in "([a-z]{1,2}|fn|use|::|[{}()<>;=\"'#!/*\\[\\]]| |\n){0,40}",
    ) {
        for text in [text, tokens] {
            let tree = sample::tree(&[("a.rs", &text), ("Cargo.toml", &text)]);
            let sources = Sources::parse(&tree);
            let parsed = sources.rust.contains_key("a.rs");
            let reported = sources.problems.iter().any(|problem| problem.file == "a.rs");
            prop_assert_ne!(parsed, reported);
        }
    }
}
