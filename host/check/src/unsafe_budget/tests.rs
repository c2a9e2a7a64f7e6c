//! What counts, what the budget allows, and how it falls.

use std::fs;

use proptest::prelude::*;

use super::{BUDGET_FILE, Lowered, UpdateError, check, lines, update_budget};
use crate::sample::problems;

const BUDGET: &str = "# Only falls.
allowed = [\"kernel/hal\"]

[crates]
hal = 2 # two
";
const HAL: (&str, &str) = ("kernel/hal/Cargo.toml", "[package]\nname = \"hal\"");
const TWO: &str = "//! H.\nunsafe fn a() {}\n#[unsafe(no_mangle)]\nfn b() {}\n";
const FORBIDDING: &str = "[package]\nname = \"a\"\n[lints]\nrust.unsafe_code = \"forbid\"";

fn count(text: &str) -> usize {
    lines(text.parse().unwrap()).len()
}

#[test]
fn the_keyword_counts_wherever_it_is_a_token() {
    let text = "
        unsafe fn a() { unsafe { b() } }
        unsafe trait T {}
        unsafe impl T for u8 {}
        unsafe extern \"C\" { unsafe fn c(); safe fn d(); }
        #[unsafe(no_mangle)] fn e() {}
        #[cfg_attr(x, unsafe(naked))] fn f(g: unsafe fn()) {}
        macro_rules! m { () => { unsafe { h() } } }
        m!(unsafe);
        core::arch::global_asm!(\"nop\");
    ";
    assert_eq!(lines(text.parse().unwrap()), [2, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9, 10]);
}

#[test]
fn comments_strings_and_other_words_do_not_count() {
    let text = "
        #![deny(unsafe_op_in_unsafe_fn)]
        //! unsafe
        /// unsafe
        fn a() { /* unsafe */ b(\"unsafe\", 'u', r#\"unsafe\"#) } // unsafe
        fn r#unsafe() {}
        use core::arch::global_asm;
    ";
    assert_eq!(count(text), 0);
}

#[test]
fn a_crate_at_its_budget_passes() {
    let files = [(BUDGET_FILE, BUDGET), HAL, ("kernel/hal/src/lib.rs", TWO)];
    assert_eq!(problems(check, &files), [""; 0]);
}

#[test]
fn a_crate_above_or_below_its_budget_fails() {
    let more = [
        (BUDGET_FILE, BUDGET),
        HAL,
        ("kernel/hal/src/lib.rs", TWO),
        ("kernel/hal/tests/t.rs", "fn t() { unsafe {} }"),
    ];
    assert_eq!(
        problems(check, &more),
        ["unsafe-budget.toml:5: crate hal holds 3 `unsafe`, its budget is 2: \
             do without the new ones"]
    );
    let fewer = [(BUDGET_FILE, BUDGET), HAL, ("kernel/hal/src/lib.rs", "unsafe fn a() {}")];
    assert_eq!(
        problems(check, &fewer),
        ["unsafe-budget.toml:5: crate hal holds only 1 `unsafe`: lower its budget from 2 to that"]
    );
    assert_eq!(
        problems(check, &[(BUDGET_FILE, BUDGET), HAL]),
        ["unsafe-budget.toml:5: crate hal holds no `unsafe`: remove the line and forbid it there"]
    );
}

#[test]
fn a_crate_without_budget_holds_none_and_forbids_it() {
    let empty = (BUDGET_FILE, "allowed = []\n[crates]");
    let manifest = ("lib/a/Cargo.toml", FORBIDDING);
    assert_eq!(
        problems(check, &[empty, manifest, ("lib/a/src/lib.rs", "fn a() {}\nunsafe fn b() {}")]),
        ["lib/a/src/lib.rs:2: `unsafe` in crate a, which has no budget"]
    );
    let unforbidden = "lib/a/Cargo.toml: crate a does not forbid `unsafe`: \
                       write `workspace = true` under [lints]";
    let lax = ("lib/a/Cargo.toml", "[package]\nname = \"a\"");
    assert_eq!(problems(check, &[empty, lax, ("lib/a/src/lib.rs", "")]), [unforbidden]);
    let denied =
        ("lib/a/Cargo.toml", "[package]\nname = \"a\"\n[lints.rust]\nunsafe_code = \"deny\"");
    assert_eq!(problems(check, &[empty, denied, ("lib/a/src/lib.rs", "")]), [unforbidden]);
}

#[test]
fn each_way_to_forbid_is_taken() {
    let empty = (BUDGET_FILE, "allowed = []\n[crates]");
    let plain = ("lib/a/Cargo.toml", "[package]\nname = \"a\"");
    let root = ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = { level = \"forbid\" }");
    let inheriting = ("lib/a/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = true");
    let attribute = ("lib/a/src/lib.rs", "#![forbid(missing_docs, unsafe_code)]");
    assert_eq!(problems(check, &[empty, ("lib/a/Cargo.toml", FORBIDDING)]), [""; 0]);
    assert_eq!(problems(check, &[empty, root, inheriting]), [""; 0]);
    assert_eq!(problems(check, &[empty, plain, attribute]), [""; 0]);
    // Each target needs the attribute, and inheriting nothing is not enough.
    assert_eq!(problems(check, &[empty, plain, attribute, ("lib/a/tests/t.rs", "")]).len(), 1);
    assert_eq!(problems(check, &[empty, inheriting]).len(), 1);
}

#[test]
fn the_budget_itself_is_checked() {
    assert!(problems(check, &[])[0].starts_with("unsafe-budget.toml: missing: "));
    let unknown = [(BUDGET_FILE, "allowed = []\nmore = 1\n[crates]\n")];
    assert!(problems(check, &unknown)[0].starts_with("unsafe-budget.toml:2: unknown field `more`"));
    let gone = [(BUDGET_FILE, BUDGET)];
    assert_eq!(
        problems(check, &gone),
        ["unsafe-budget.toml:5: there is no crate hal: remove the line"]
    );
    let elsewhere = [
        (BUDGET_FILE, BUDGET),
        ("lib/hal/Cargo.toml", "[package]\nname = \"hal\""),
        ("lib/hal/src/lib.rs", TWO),
    ];
    assert_eq!(
        problems(check, &elsewhere),
        ["unsafe-budget.toml:5: crate hal in lib/hal may hold no `unsafe`, only kernel/hal may: \
         remove the line"]
    );
}

fn on_disk(budget: &str, code: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let hal = root.path().join("kernel/hal");
    fs::create_dir_all(hal.join("src")).unwrap();
    fs::write(hal.join("Cargo.toml"), HAL.1).unwrap();
    fs::write(hal.join("src/lib.rs"), code).unwrap();
    fs::write(root.path().join(BUDGET_FILE), budget).unwrap();
    root
}

#[test]
fn updating_lowers_and_keeps_the_rest_of_the_text() {
    let root = on_disk(&BUDGET.replace('2', "1_000"), TWO);
    let lowered = update_budget(root.path()).unwrap();
    assert_eq!(lowered, [Lowered { name: "hal".into(), from: 1000, to: 2 }]);
    assert_eq!(fs::read_to_string(root.path().join(BUDGET_FILE)).unwrap(), BUDGET);
    assert_eq!(update_budget(root.path()).unwrap(), []);
}

#[test]
fn updating_never_raises() {
    let low = BUDGET.replace('2', "1");
    let root = on_disk(&low, TWO);
    assert_eq!(update_budget(root.path()).unwrap(), []);
    assert_eq!(fs::read_to_string(root.path().join(BUDGET_FILE)).unwrap(), low);
}

#[test]
fn updating_refuses_to_count_what_it_cannot_read() {
    let root = on_disk(BUDGET, "fn fn");
    assert!(matches!(update_budget(root.path()), Err(UpdateError::Source(_))));
    let root = on_disk("[crates]", TWO);
    assert!(matches!(update_budget(root.path()), Err(UpdateError::Budget(_))));
}

proptest! {
    #[test]
    fn each_block_counts_once_at_any_depth(
        blocks in 0usize..20, depth in 0usize..20, comment in "[a-z \n]{0,20}"
    ) {
        let inner = "unsafe { }".repeat(blocks);
        let (open, close) = ("{".repeat(depth), "}".repeat(depth));
        let text = format!("/* {comment} unsafe */ {open}{inner}{close}");
        prop_assert_eq!(count(&text), blocks);
    }
}
