//! Check: each crate follows the workspace, and each source file introduces
//! itself.
//!
//! - Members of the workspace inherit every field that `[workspace.package]`
//!   sets (version, edition, licence, …) and its lints. A crate that may hold
//!   `unsafe` cannot inherit the lint that forbids it, so it repeats all others
//!   with the same levels.
//! - Every crate has a description.
//! - Every Rust file belongs to a crate, and every one in a folder `src` starts
//!   with a `//!` line, its subtitle.

use toml::{Table, Value};

use crate::problem::Problem;
use crate::sources::Sources;
use crate::tree::is_below;
use crate::workspace::{Membership, Package};

/// The one lint that a crate may set otherwise than the workspace.
const OWN_LINT: &str = "unsafe_code";

/// Reports crates and files that do not follow these rules.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &sources.workspace.packages {
        let messages = described(package).into_iter().chain(match package.membership {
            Membership::Member => unfollowed(sources, package),
            Membership::Excluded => Vec::new(),
        });
        problems.extend(messages.map(|m| Problem::in_file(package.manifest_path(), m)));
    }
    for (path, text) in sources.tree.texts("rs") {
        let Some(package) = sources.workspace.package_around(path) else {
            problems.push(Problem::in_file(path, "belongs to no crate: move it into one"));
            continue;
        };
        let in_src = is_below(path, &package.path("src"));
        if in_src && !text.starts_with("//! ") {
            let message = "the first line is no subtitle: start with `//! ` and what the file is";
            problems.push(Problem::at_line(path, 1, message));
        }
    }
    problems
}

/// What is wrong with the crate's description.
fn described(package: &Package) -> Option<String> {
    let fields = package.manifest.package.as_ref()?;
    let description = fields.get("description").and_then(Value::as_str).unwrap_or_default();
    description.trim().is_empty().then(|| "the crate has no description: say what it is".to_owned())
}

/// What the crate does not take from the workspace.
fn unfollowed(sources: &Sources<'_>, package: &Package) -> Vec<String> {
    let Some(workspace) = &sources.workspace.root.workspace else { return Vec::new() };
    let empty = Table::new();
    let fields = package.manifest.package.as_ref().unwrap_or(&empty);
    let own_fields = workspace.package.keys().filter(|key| !fields.get(*key).is_some_and(inherits));
    let mut messages: Vec<String> = own_fields
        .map(|key| format!("`{key}` is not the workspace's: write `{key}.workspace = true`"))
        .collect();
    let lints = package.manifest.lints.as_ref().unwrap_or(&empty);
    if !inherits(&Value::Table(lints.clone())) {
        messages.extend(unrepeated(&workspace.lints, lints));
    }
    messages
}

/// Whether a field or table says `workspace = true`.
fn inherits(value: &Value) -> bool {
    value.get("workspace") == Some(&Value::Boolean(true))
}

/// The lints of the workspace that a crate with lints of its own misses.
fn unrepeated(workspace: &Table, own: &Table) -> Vec<String> {
    let mut messages = Vec::new();
    for (tool, lints) in workspace {
        let lints = lints.as_table().into_iter().flatten();
        for (name, level) in lints.filter(|(name, _)| *name != OWN_LINT) {
            if own.get(tool).and_then(|lints| lints.get(name)) != Some(level) {
                messages.push(format!(
                    "the lint `{name}` is not the workspace's: write `workspace = true` under \
                     [lints], or `{name} = {level}` under [lints.{tool}]"
                ));
            }
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::sample::problems;

    const ROOT: (&str, &str) = (
        "Cargo.toml",
        "[workspace]
exclude = [\"fuzz\"]
[workspace.package]
edition = \"2024\"
license = \"MIT\"
[workspace.lints.rust]
unsafe_code = \"forbid\"
missing_docs = \"deny\"
[workspace.lints.clippy]
undocumented_unsafe_blocks = \"deny\"
",
    );
    const PACKAGE: &str = "[package]
name = \"a\"
description = \"A\"
edition.workspace = true
license = { workspace = true }
";

    fn said_of(manifest: &str) -> Vec<String> {
        problems(check, &[ROOT, ("lib/a/Cargo.toml", manifest)])
    }

    #[test]
    fn a_crate_that_inherits_everything_passes() {
        assert_eq!(said_of(&format!("{PACKAGE}[lints]\nworkspace = true")), [""; 0]);
    }

    #[test]
    fn a_crate_that_repeats_all_lints_but_one_passes() {
        let lints = "[lints.rust]\nmissing_docs = \"deny\"\nunsafe_code = \"allow\"\n\
                     [lints.clippy]\nundocumented_unsafe_blocks = \"deny\"";
        assert_eq!(said_of(&format!("{PACKAGE}{lints}")), [""; 0]);
    }

    #[test]
    fn other_fields_and_lints_are_refused() {
        let lints = "[lints.rust]\nmissing_docs = \"warn\"";
        let manifest = format!("{}{lints}", PACKAGE.replace("edition.workspace = true", ""));
        let place = "lib/a/Cargo.toml";
        assert_eq!(
            said_of(&manifest),
            [
                format!(
                    "{place}: `edition` is not the workspace's: write `edition.workspace = true`"
                ),
                format!(
                    "{place}: the lint `missing_docs` is not the workspace's: write \
                 `workspace = true` under [lints], or `missing_docs = \"deny\"` under [lints.rust]"
                ),
                format!(
                    "{place}: the lint `undocumented_unsafe_blocks` is not the workspace's: write \
                 `workspace = true` under [lints], or `undocumented_unsafe_blocks = \"deny\"` \
                 under [lints.clippy]"
                ),
            ]
        );
        let own_licence = PACKAGE.replace("{ workspace = true }", "\"GPL-3.0\"");
        assert_eq!(said_of(&format!("{own_licence}[lints]\nworkspace = true")).len(), 1);
        assert_eq!(said_of(PACKAGE).len(), 2);
    }

    #[test]
    fn an_excluded_crate_only_needs_a_description() {
        let fuzz = |text| problems(check, &[ROOT, ("fuzz/Cargo.toml", text)]);
        assert_eq!(fuzz("[package]\nname = \"fuzz\"\ndescription = \"F\""), [""; 0]);
        assert_eq!(
            fuzz("[package]\nname = \"fuzz\"\ndescription = \" \""),
            ["fuzz/Cargo.toml: the crate has no description: say what it is"]
        );
    }

    #[test]
    fn sources_start_with_a_subtitle_and_belong_to_a_crate() {
        let manifest = format!("{PACKAGE}[lints]\nworkspace = true");
        let of =
            |path, text| problems(check, &[ROOT, ("lib/a/Cargo.toml", &manifest), (path, text)]);
        assert_eq!(of("lib/a/src/b.rs", "//! B.\n"), [""; 0]);
        assert_eq!(of("lib/a/build.rs", "fn main() {}"), [""; 0]);
        let expected = "lib/a/src/b.rs:1: the first line is no subtitle: \
                        start with `//! ` and what the file is";
        for text in ["", "\n//! B.", "// B.", "use a;", "//!\n"] {
            assert_eq!(of("lib/a/src/b.rs", text), [expected]);
        }
        assert_eq!(
            of("tools/b.rs", "//! B."),
            ["tools/b.rs: belongs to no crate: move it into one"]
        );
    }
}
