//! Reads small trees from a temporary folder.

use std::fs;
use std::path::Path;

use super::{MAX_DEPTH, MAX_TEXT_SIZE, read};
use crate::tree::Content;

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn takes_sources_and_leaves_out_what_is_built_or_hidden() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), ".gitignore", b"/target/\n/docs/book/\n*.swp\n");
    write(root.path(), "a/src/lib.rs", b"//! A.\n");
    write(root.path(), "a/src/target/mod.rs", b"//! A module of that name.\n");
    write(root.path(), "a/picture.png", b"\xff\xfe");
    write(root.path(), "target/b.rs", b"");
    write(root.path(), "docs/book/c.md", b"");
    write(root.path(), ".git/d.rs", b"");
    let tree = read(root.path());
    let found: Vec<_> = tree.files().collect();
    assert_eq!(
        found,
        [
            ("a/picture.png", &Content::Opaque),
            ("a/src/lib.rs", &Content::Text("//! A.\n".into())),
            ("a/src/target/mod.rs", &Content::Text("//! A module of that name.\n".into())),
        ]
    );
}

#[test]
fn keeps_what_cannot_be_read() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "bytes.rs", b"\xff\xfe");
    fs::File::create(root.path().join("huge.md")).unwrap().set_len(MAX_TEXT_SIZE + 1).unwrap();
    let tree = read(root.path());
    let unreadable: Vec<_> = tree
        .files()
        .filter(|(_, content)| matches!(content, Content::Unreadable(_)))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(unreadable, ["bytes.rs", "huge.md"]);
}

#[cfg(unix)]
#[test]
fn follows_no_symbolic_link() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/lib.rs", b"");
    std::os::unix::fs::symlink("../a", root.path().join("a/again")).unwrap();
    std::os::unix::fs::symlink("lib.rs", root.path().join("a/link.rs")).unwrap();
    let tree = read(root.path());
    let paths: Vec<_> = tree.files().map(|(path, _)| path).collect();
    assert_eq!(paths, ["a/again", "a/lib.rs", "a/link.rs"]);
    assert_eq!(tree.text("a/link.rs"), None);
}

#[test]
fn says_that_the_root_or_depth_is_impossible() {
    let root = tempfile::tempdir().unwrap();
    let missing = read(&root.path().join("missing"));
    assert!(matches!(missing.files().next(), Some((".", Content::Unreadable(_)))));

    write(root.path(), &format!("{}lib.rs", "a/".repeat(MAX_DEPTH + 1)), b"");
    let deep = read(root.path());
    let contents: Vec<_> = deep.files().map(|(_, content)| content).collect();
    assert!(matches!(contents.as_slice(), [Content::Unreadable(reason)] if reason.contains("32")));
}
