//! All checks together, on a small repository on disk.

use std::fs;
use std::path::Path;

use super::{CHECKS, run};

/// A repository that passes every check.
const HOUSE: [(&str, &str); 7] = [
    (
        "Cargo.toml",
        "[workspace]\n[workspace.package]\nedition = \"2024\"\n\
         [workspace.lints.rust]\nunsafe_code = \"forbid\"\n",
    ),
    ("unsafe-budget.toml", "allowed = [\"kernel/hal\"]\n[crates]\n"),
    ("README.md", "[book](docs/src/dependencies.md)"),
    ("docs/src/SUMMARY.md", "- [Dependencies](dependencies.md)"),
    (
        "docs/src/dependencies.md",
        "| Crate | Used by | Reason | Contains unsafe | Maintained by |\n|---|---|---|---|---|\n",
    ),
    (
        "lib/a/Cargo.toml",
        "[package]\nname = \"a\"\ndescription = \"A\"\nedition.workspace = true\n\
         [lints]\nworkspace = true\n",
    ),
    ("lib/a/src/lib.rs", "//! A.\n\nmod b;\n\npub use b::B;\n"),
];
const CHILD: (&str, &str) = ("lib/a/src/b.rs", "//! B.\n\npub struct B;\n");

/// The names of the checks that fail when these files are added to the house
/// or take the place of its own.
fn failing(changes: &[(&str, &str)]) -> Vec<&'static str> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in HOUSE.iter().chain(&[CHILD]).chain(changes) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    run(root.path()).iter().filter(|outcome| !outcome.passed()).map(|o| o.name).collect()
}

#[test]
fn a_good_house_passes() {
    assert_eq!(failing(&[]), [""; 0]);
}

#[test]
fn each_check_fails_for_its_own_reason_and_alone() {
    let unfinished = concat!("//! B: to be done (TO", "DO).\npub struct B;\n");
    let long = format!("{}{}", CHILD.1, "//\n".repeat(600));
    let cases = [
        ("sources can be read", "lib/a/src/c.rs", "//! C.\nfn fn"),
        ("unsafe budget", CHILD.0, "//! B.\npub struct B;\nunsafe fn f() {}"),
        (
            "floors",
            "lib/b/Cargo.toml",
            &HOUSE[5].1.replace("[lints]", "[dependencies]\na.path = \"../c\"\n[lints]"),
        ),
        ("module circles", CHILD.0, "//! B.\nuse super::*;\npub struct B;"),
        ("declared files", "lib/a/src/c.rs", "//! C."),
        (
            "dependency list",
            "lib/b/Cargo.toml",
            &HOUSE[5].1.replace("[lints]", "[dependencies]\nc = \"1\"\n[lints]"),
        ),
        ("file length", CHILD.0, &long),
        ("nothing unfinished", CHILD.0, unfinished),
        ("book", "docs/src/more.md", "# More"),
        ("workspace rules", CHILD.0, "pub struct B;"),
    ];
    for (name, path, text) in cases {
        assert_eq!(failing(&[(path, text)]), [name], "{path}");
    }
    assert_eq!(cases.map(|(name, ..)| name), CHECKS.map(|(name, _)| name));
}

#[test]
fn a_folder_that_is_no_repository_fails() {
    let outcomes = run(Path::new("/nowhere/at/all"));
    assert_eq!(outcomes.len(), CHECKS.len());
    assert!(!outcomes[0].passed());
    assert!(outcomes[0].problems[0].to_string().starts_with(".: cannot be read: "));
}
