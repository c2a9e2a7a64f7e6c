//! Names, sources and roots of crates.

use super::{Dependency, Kind, Membership, Source, Workspace};
use crate::sample;

const ROOT: &str = "
[workspace]
members = [\"*\"]
exclude = [\"fuzz\"]
[workspace.dependencies]
a = { path = \"abi/a\" }
other = { path = \"abi/b\", package = \"b\" }
serde = { version = \"1\", features = [\"derive\"] }
";

#[test]
fn dependencies_are_resolved_through_the_workspace() {
    let manifest = "[package]
name = \"c\"
[dependencies]
a.workspace = true
other = { workspace = true }
serde.workspace = true
direct = \"1\"
[dev-dependencies]
renamed = { package = \"real\", version = \"1\" }
[build-dependencies]
near = { path = \"../d\" }
[target.'cfg(unix)'.dependencies]
far = { path = \"../../../far\" }
";
    let tree = sample::tree(&[("Cargo.toml", ROOT), ("lib/c/Cargo.toml", manifest)]);
    let (workspace, problems) = Workspace::parse(&tree);
    assert_eq!(problems, []);
    let package = workspace.package_in("lib/c").unwrap();
    let expected = [
        ("a", Kind::Product, Source::Folder("abi/a".into()), 4),
        ("direct", Kind::Product, Source::Registry, 7),
        ("b", Kind::Product, Source::Folder("abi/b".into()), 5),
        ("serde", Kind::Product, Source::Registry, 6),
        ("near", Kind::Product, Source::Folder("lib/d".into()), 11),
        ("real", Kind::Development, Source::Registry, 9),
        ("far", Kind::Product, Source::Outside("../../../far".into()), 13),
    ]
    .map(|(name, kind, source, line)| Dependency { name: name.into(), kind, source, line });
    assert_eq!(package.dependencies, expected);
}

#[test]
fn files_belong_to_the_innermost_crate() {
    let tree = sample::tree(&[
        ("Cargo.toml", ROOT),
        ("a/Cargo.toml", "[package]\nname = \"a\""),
        ("a/b/Cargo.toml", "[package]\nname = \"b\""),
        ("fuzz/Cargo.toml", "[package]\nname = \"fuzz\""),
    ]);
    let (workspace, _) = Workspace::parse(&tree);
    let around = |path| workspace.package_around(path).map(|package| package.name.as_str());
    assert_eq!(around("a/src/lib.rs"), Some("a"));
    assert_eq!(around("a/b/src/lib.rs"), Some("b"));
    assert_eq!(around("ab/src/lib.rs"), None);
    assert_eq!(workspace.package_in("fuzz").unwrap().membership, Membership::Excluded);
    assert_eq!(workspace.package_in("a/b").unwrap().membership, Membership::Member);
}

#[test]
fn roots_are_those_that_cargo_would_find() {
    let manifest = "[package]
name = \"a\"
[lib]
path = \"library.rs\"
[[bin]]
name = \"x\"
path = \"programs/x.rs\"
[[bin]]
name = \"missing\"
path = \"programs/missing.rs\"
";
    let tree = sample::tree(&[
        ("a/Cargo.toml", manifest),
        ("a/build.rs", ""),
        ("a/library.rs", ""),
        ("a/programs/x.rs", ""),
        ("a/src/bin/y.rs", ""),
        ("a/src/bin/z/main.rs", ""),
        ("a/src/bin/z/part.rs", ""),
        ("a/src/lib.rs", ""),
        ("a/src/main.rs", ""),
        ("a/tests/t.rs", ""),
        ("a/tests/t/part.rs", ""),
        ("a/benches/b.rs", ""),
    ]);
    let (workspace, _) = Workspace::parse(&tree);
    let package = workspace.package_in("a").unwrap();
    let expected = [
        "a/build.rs",
        "a/library.rs",
        "a/programs/x.rs",
        "a/src/bin/y.rs",
        "a/src/bin/z/main.rs",
        "a/src/main.rs",
    ];
    assert_eq!(package.product_roots(&tree), expected);
    assert_eq!(package.development_roots(&tree), ["a/benches/b.rs", "a/tests/t.rs"]);
}
