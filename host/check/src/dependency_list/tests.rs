//! Rows and crates that match, and those that do not.

use super::check;
use crate::sample::problems;

const ROOT: (&str, &str) = (
    "Cargo.toml",
    "[workspace.dependencies]
a = { path = \"lib/a\" }
other = { version = \"1\", package = \"real\" }
serde = \"1\"
",
);
const A: (&str, &str) = (
    "lib/a/Cargo.toml",
    "[package]
name = \"a\"
[dependencies]
other.workspace = true
[dev-dependencies]
serde.workspace = true
",
);
const B: (&str, &str) = (
    "lib/b/Cargo.toml",
    "[package]
name = \"b\"
[dependencies]
a.workspace = true
[target.'cfg(unix)'.build-dependencies]
serde.workspace = true
",
);
const HEAD: &str = "# Dependencies

| Crate | Used by | Reason | Contains unsafe | Maintained by |
|---|---|---|---|---|
";

fn said(rows: &str) -> Vec<String> {
    let list = format!("{HEAD}{rows}");
    problems(check, &[ROOT, A, B, ("docs/src/dependencies.md", &list)])
}

#[test]
fn a_complete_list_passes() {
    let rows = "| `real` | `lib/a` | why | no | [who](https://example.org) |
| serde | lib/a, lib/b | why | a little, `#[inline]` | who |
";
    assert_eq!(said(rows), [""; 0]);
}

#[test]
fn a_crate_without_row_and_a_row_without_crate_fail() {
    assert_eq!(
        said("| real | lib/a | w | n | w |\n| gone | lib/a | w | n | w |\n"),
        [
            "docs/src/dependencies.md: no row for serde, which lib/a, lib/b uses: add one",
            "docs/src/dependencies.md:6: no crate here uses gone: remove the row",
        ]
    );
}

#[test]
fn columns_must_be_filled_and_true() {
    let rows = "| real | lib/a | | no | |
| serde | lib/b | why | | who |
| serde | lib/a, lib/b | why | no | who |
";
    assert_eq!(
        said(rows),
        [
            "docs/src/dependencies.md:5: the column \"Maintained by\" is empty: fill it in",
            "docs/src/dependencies.md:5: the column \"Reason\" is empty: fill it in",
            "docs/src/dependencies.md:6: the column \"Contains unsafe\" is empty: fill it in",
            "docs/src/dependencies.md:6: the column \"Used by\" should say: lib/a, lib/b",
            "docs/src/dependencies.md:7: a second row for serde: remove it",
        ]
    );
}

#[test]
fn a_missing_or_different_table_fails() {
    let expected = "docs/src/dependencies.md: has no table with the columns \
                    Crate, Used by, Reason, Contains unsafe, Maintained by";
    assert_eq!(problems(check, &[ROOT, A, B]), [expected]);
    let other = "| Crate | Reason |\n|---|---|\n| serde | why |\n";
    assert_eq!(problems(check, &[ROOT, A, B, ("docs/src/dependencies.md", other)]), [expected]);
}

#[test]
fn an_entry_that_no_crate_takes_fails() {
    let root =
        ("Cargo.toml", "[workspace.dependencies]\na = { path = \"lib/a\" }\nserde = \"1\"\n");
    let a = ("lib/a/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\n");
    let list = format!("{HEAD}| serde | lib/a | w | n | w |");
    assert_eq!(
        problems(check, &[root, a, ("docs/src/dependencies.md", &list)]),
        ["Cargo.toml:3: no crate uses the dependency serde: remove it",]
    );
}
