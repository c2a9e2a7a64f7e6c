//! Every difference is found and told once.

use igvm::{IgvmDirectiveHeader, IgvmFile};
use igvm_defs::{IgvmPageDataFlags, IgvmPageDataType, IgvmPlatformType};
use proptest::prelude::*;

use super::{Diff, FactChange, MemoryChange, PageChange};
use crate::file::Igvm;
use crate::file::samples::{self, NATIVE, SNP};
use crate::inspect::{Bytes, Hex};

fn parse(file: &IgvmFile) -> Igvm {
    Igvm::parse(&samples::bytes(file)).expect("valid")
}

fn image(directives: Vec<IgvmDirectiveHeader>) -> Igvm {
    parse(&samples::module_with(directives))
}

fn diff(old: Vec<IgvmDirectiveHeader>, new: Vec<IgvmDirectiveHeader>) -> Diff {
    Diff::new(&image(old), &image(new))
}

/// The module with one directive changed.
fn changed(change: impl Fn(&mut IgvmDirectiveHeader)) -> Diff {
    let mut new = samples::module_directives();
    new.iter_mut().for_each(change);
    diff(samples::module_directives(), new)
}

/// Facts other than the launch digest.
fn facts(diff: &Diff) -> Vec<&FactChange> {
    diff.facts.iter().filter(|fact| fact.section != "launch digest").collect()
}

fn content(first: u64, size: u64, platforms: &[&str], at: u64, bytes: u64) -> MemoryChange {
    MemoryChange {
        first: Hex(first),
        last: Hex(first + size - 1),
        size: Bytes(size),
        platforms: platforms.iter().map(|name| (*name).to_owned()).collect(),
        change: PageChange::Content {
            kind: "data".to_owned(),
            first_difference: Hex(at),
            differing_bytes: bytes,
        },
    }
}

#[test]
fn a_file_is_equal_to_itself() {
    for bytes in samples::ALL.iter() {
        let igvm = Igvm::parse(bytes).expect("valid");
        let diff = Diff::new(&igvm, &igvm);
        assert!(diff.is_empty() && diff.byte_identical);
        assert!(diff.to_string().contains("byte for byte"));
    }
}

#[test]
fn order_that_does_not_matter_is_no_difference() {
    let mut new = samples::module_directives();
    let native = new.pop().expect("not empty");
    new.insert(0, native);
    let diff = diff(samples::module_directives(), new);
    assert!(diff.is_empty() && !diff.byte_identical, "{diff}");
    assert!(diff.to_string().contains("equal in content"));
}

#[test]
fn order_that_matters_shows_in_the_digest() {
    let pages =
        vec![samples::page(0x1000, SNP, &[1; 4096]), samples::page(0x2000, SNP, &[2; 4096])];
    let diff = diff(pages.clone(), pages.into_iter().rev().collect());
    assert_eq!(diff.facts.len(), 1);
    assert_eq!(diff.facts[0].section, "launch digest");
    assert!(diff.to_string().contains("in another order"));
}

#[test]
fn changed_bytes_are_counted_and_located() {
    let diff = changed(|directive| {
        if let IgvmDirectiveHeader::PageData { gpa, data, .. } = directive {
            match *gpa {
                0x10_0000 => data[4000..].fill(0),
                0x10_1000 => data[7] = 0,
                _ => {}
            }
        }
    });
    let expected = content(0x10_0000, 8192, &["snp", "native"], 0x10_0000 + 4000, 97);
    assert_eq!(diff.memory, [expected]);
    assert!(facts(&diff).is_empty());
    assert!(diff.to_string().contains("97 bytes differ, the first at 0x100fa0"), "{diff}");
}

#[test]
fn a_change_on_one_platform_names_it() {
    let diff = changed(|directive| {
        if let IgvmDirectiveHeader::PageData { compatibility_mask: NATIVE, data, .. } = directive {
            data[0] = 0;
        }
    });
    assert_eq!(diff.memory, [content(0x20_0000, 4096, &["native"], 0x20_0000, 1)]);
    assert!(diff.facts.is_empty(), "the launch digest of SNP is the same");
}

#[test]
fn pages_come_go_and_change_their_kind() {
    let flags = IgvmPageDataFlags::new().with_unmeasured(true);
    let unmeasured =
        |gpa| samples::typed_page(gpa, SNP, IgvmPageDataType::NORMAL, flags, &[5; 4096]);
    let old = vec![
        samples::page(0x1000, SNP, &[1; 4096]),
        samples::page(0x2000, SNP, &[1; 4096]),
        samples::page(0x8000, SNP, &[5; 4096]),
    ];
    let new =
        vec![samples::page(0x4000, SNP, &[]), samples::page(0x5000, SNP, &[]), unmeasured(0x8000)];
    let diff = diff(old, new);
    let changes: Vec<_> = diff.memory.iter().map(|c| (c.first.0, c.size.0, &c.change)).collect();
    let (data, zero) = ("data".to_owned(), "zero".to_owned());
    let kind = PageChange::Kind { old: data.clone(), new: "unmeasured".to_owned() };
    assert_eq!(
        changes,
        [
            (0x1000, 8192, &PageChange::Removed { kind: data }),
            (0x4000, 8192, &PageChange::Added { kind: zero }),
            (0x8000, 4096, &kind),
        ]
    );
}

#[test]
fn registers_are_told_by_name() {
    let diff = changed(|directive| {
        if let IgvmDirectiveHeader::SnpVpContext { vmsa, .. } = directive {
            vmsa.rip = 0x1234;
            vmsa.cr4 |= 1 << 20;
        }
    });
    let facts = facts(&diff);
    let told: Vec<_> = facts.iter().map(|f| (f.subject.as_str(), f.new.as_deref())).collect();
    assert_eq!(
        told,
        [("0 on snp: RIP", Some("0x1234")), ("0 on snp: CR4", Some("0x100060 (PAE | MCE | SMEP)")),]
    );
    assert_eq!(facts[0].old.as_deref(), Some("0xffffffff80001000"));
    assert!(diff.memory.is_empty());
}

#[test]
fn a_processor_more_is_one_fact() {
    let mut new = samples::module_directives();
    new.push(samples::snp_context(1, samples::vmsa()));
    let diff = diff(samples::module_directives(), new);
    let facts = facts(&diff);
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].subject, "1 on snp");
    assert_eq!((facts[0].old.is_none(), facts[0].new.is_some()), (true, true));
}

#[test]
fn everything_else_is_compared_too() {
    type Change = fn(&mut IgvmDirectiveHeader);
    let cases: [(&str, Change); 6] = [
        ("required memory", |d| {
            if let IgvmDirectiveHeader::RequiredMemory { number_of_bytes, .. } = d {
                *number_of_bytes += 4096;
            }
        }),
        ("parameter area", |d| {
            if let IgvmDirectiveHeader::VpCount(parameter) = d {
                parameter.byte_offset = 64;
            }
        }),
        ("parameter area", |d| {
            if let IgvmDirectiveHeader::ParameterInsert(insert) = d {
                insert.gpa += 0x100_0000;
            }
        }),
        ("processor", |d| {
            if let IgvmDirectiveHeader::SnpVpContext { gpa, .. } = d {
                *gpa = 0x1000;
            }
        }),
        ("processor", |d| {
            if let IgvmDirectiveHeader::X64NativeVpContext { context, .. } = d {
                context.cr3 = 0x1000;
            }
        }),
        ("parameter area", |d| {
            if let IgvmDirectiveHeader::ParameterArea { initial_data, .. } = d {
                *initial_data = vec![1; 4096];
            }
        }),
    ];
    for (section, change) in cases {
        let diff = changed(change);
        let facts = facts(&diff);
        assert!(!facts.is_empty() && facts.iter().all(|fact| fact.section == section), "{diff}");
    }
}

#[test]
fn policy_platforms_and_identity_are_compared() {
    let module = samples::module();
    let mut platforms = module.platforms().to_vec();
    platforms.push(samples::platform(4, IgvmPlatformType::TDX));
    let mut directives = module.directives().to_vec();
    directives.push(samples::id_block([9; 48]));
    let policy = vec![samples::policy(0xb_0000)];
    let other = IgvmFile::new(samples::x64(), platforms, policy, directives).expect("valid");
    let diff = Diff::new(&parse(&module), &parse(&other));
    let sections: Vec<_> = diff.facts.iter().map(|fact| fact.section).collect();
    let mut expected = vec!["platform", "policy"];
    expected.extend(["ID block"; 7]);
    assert_eq!(sections, expected);
    let text = diff.to_string();
    assert!(text.contains("+  tdx") && text.contains("debugging allowed"), "{text}");
}

/// All that every_platform has and its copy has not.
#[test]
fn header_kinds_of_other_platforms_are_compared() {
    let old = samples::every_platform();
    let mut directives = old.directives().to_vec();
    for directive in &mut directives {
        if let IgvmDirectiveHeader::VbsMeasurement { signature, .. } = directive {
            signature[0] ^= 1;
        }
    }
    let file = |directives| {
        let (platforms, initializations) = (old.platforms(), old.initializations());
        IgvmFile::new(samples::x64(), platforms.to_vec(), initializations.to_vec(), directives)
            .expect("valid")
    };
    let diff = Diff::new(&parse(&old), &parse(&file(directives)));
    let sections: Vec<_> = diff.facts.iter().map(|fact| fact.section).collect();
    assert_eq!(sections, ["VBS measurement"]);
}

#[test]
fn comparisons_serialize() {
    let diff = diff(vec![samples::page(0x1000, SNP, &[1; 4096])], vec![]);
    let json = serde_json::to_value(&diff).expect("serializes");
    assert_eq!(json["byte_identical"], false);
    assert_eq!(json["memory"][0]["first"], "0x1000");
    assert_eq!(json["memory"][0]["change"]["removed"]["kind"], "data");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_files_can_be_compared(old in samples::damaged(), new in samples::damaged()) {
        if let (Ok(old), Ok(new)) = (Igvm::parse(&old), Igvm::parse(&new)) {
            let diff = Diff::new(&old, &new);
            prop_assert!(!diff.to_string().is_empty());
            prop_assert!(Diff::new(&new, &new).is_empty());
        }
    }
}
