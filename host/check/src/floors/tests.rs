//! What may lean on what, and circles.

use proptest::prelude::*;

use super::{Floor, check};
use crate::sample::problems;

/// What the check says about crates in these folders, each with the folders it
/// depends on.
fn said(crates: &[(&str, &[&str])]) -> Vec<String> {
    said_of("dependencies", crates)
}

fn said_of(table: &str, crates: &[(&str, &[&str])]) -> Vec<String> {
    let files: Vec<(String, String)> = crates
        .iter()
        .map(|(folder, uses)| {
            let up = "../".repeat(folder.split('/').count());
            let uses: String = uses
                .iter()
                .map(|to| format!("\"{}\" = {{ path = \"{up}{to}\" }}\n", to.replace('/', "-")))
                .collect();
            let name = folder.replace('/', "-");
            let text = format!("[package]\nname = \"{name}\"\n[{table}]\n{uses}");
            (format!("{folder}/Cargo.toml"), text)
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    problems(check, &files)
}

#[test]
fn the_whole_house_stands() {
    let house: &[(&str, &[&str])] = &[
        ("abi/x86", &[]),
        ("abi/snp", &["abi/x86"]),
        ("lib/tpm", &["abi/snp"]),
        ("lib/store", &["lib/tpm"]),
        ("kernel/hal", &["abi/x86", "lib/tpm"]),
        ("kernel/memory", &["kernel/hal"]),
        ("kernel/tasks", &["kernel/memory", "kernel/hal", "abi/snp"]),
        ("kernel/svsm", &["kernel/tasks", "kernel/hal"]),
        ("user/rt", &["abi/x86"]),
        ("user/vtpm", &["user/rt", "lib/tpm"]),
        ("host/image", &["abi/snp"]),
        ("host/cli", &["host/image"]),
        ("simulator/machine", &["abi/snp"]),
        ("simulator/hypervisor", &["simulator/machine", "abi/x86"]),
        ("tests/oracle", &["host/image", "abi/snp"]),
        ("fuzz", &["host/image", "simulator/machine"]),
    ];
    assert_eq!(said(house), [""; 0]);
}

#[test]
fn looking_upwards_or_into_another_building_is_refused() {
    let refused = [
        ("abi/a", "lib/a"),
        ("abi/a", "kernel/hal"),
        ("lib/a", "kernel/hal"),
        ("lib/a", "host/a"),
        ("kernel/hal", "kernel/memory"),
        ("kernel/memory", "kernel/svsm"),
        ("kernel/memory", "user/rt"),
        ("user/rt", "user/vtpm"),
        ("user/a", "user/b"),
        ("user/a", "kernel/hal"),
        ("host/a", "kernel/hal"),
        ("host/a", "simulator/machine"),
        ("simulator/machine", "simulator/hypervisor"),
        ("simulator/hypervisor", "kernel/hal"),
        ("host/a", "tests/oracle"),
        ("tests/a", "tests/oracle"),
        ("tests/a", "fuzz"),
        ("host/a", "fuzz"),
    ];
    for (from, to) in refused {
        let expected = format!(
            "{from}/Cargo.toml:4: {from} may not use {to}, which is not on a floor below it: \
             move what both need further down"
        );
        assert_eq!(said(&[(from, &[to]), (to, &[])]), [expected]);
        assert_eq!(said_of("build-dependencies", &[(from, &[to]), (to, &[])]).len(), 1);
    }
}

#[test]
fn tests_may_look_sideways_but_not_upwards() {
    let sideways: &[(&str, &[&str])] =
        &[("host/a", &["simulator/machine"]), ("simulator/machine", &[])];
    assert_eq!(said_of("dev-dependencies", sideways), [""; 0]);
    assert_eq!(
        said_of("dev-dependencies", &[("abi/a", &["lib/b"]), ("lib/b", &[])]),
        ["abi/a/Cargo.toml:4: the tests of abi/a may not use lib/b, which is above it"]
    );
}

#[test]
fn circles_are_shown_as_a_chain() {
    let crates: &[(&str, &[&str])] =
        &[("lib/a", &["lib/b"]), ("lib/b", &["lib/c"]), ("lib/c", &["lib/a"])];
    let chain = "lib/a/Cargo.toml:4: crates form a circle: lib/a/Cargo.toml:4 -> \
                 lib/b/Cargo.toml:4 -> lib/c/Cargo.toml:4 -> lib/a/Cargo.toml";
    assert_eq!(said(crates), [chain]);
    // Cargo would accept this one.
    assert_eq!(said_of("dev-dependencies", crates), [chain]);
}

#[test]
fn crates_must_be_where_a_floor_is() {
    assert_eq!(
        said(&[("tools/a", &[])]),
        ["tools/a/Cargo.toml: a crate in a folder that is on no floor: \
             see docs/src/architecture.md"]
    );
    assert_eq!(said(&[("abi/a/b", &[])]).len(), 1);
    assert_eq!(said(&[("lib/a", &["abi/b"])]), ["lib/a/Cargo.toml:4: there is no crate in abi/b"]);
    assert_eq!(
        said(&[("lib/a", &["../b"])]),
        ["lib/a/Cargo.toml:4: ../../../b leads out of the repository"]
    );
}

proptest! {
    #[test]
    fn the_product_never_looks_up(
        from in "(abi|lib|kernel|user|host|simulator|tests)/(hal|rt|svsm|machine|hypervisor|a)|fuzz",
        to in "(abi|lib|kernel|user|host|simulator|tests)/(hal|rt|svsm|machine|hypervisor|a)|fuzz",
    ) {
        if let (Some(from), Some(to)) = (Floor::of(&from), Floor::of(&to))
            && from.may_use(to)
        {
            prop_assert!(to.height() <= from.height());
        }
    }
}
