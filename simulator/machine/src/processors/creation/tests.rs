//! Who may create what, and what follows.

use abi_snp::{SevFeatures, Vmpl};

use super::*;
use crate::processors::processor::RunState;
use crate::processors::table::{ProcessorCountError, ProcessorDefaults};

const FEATURES: SevFeatures = SevFeatures::SNP_ACTIVE.union(SevFeatures::DEBUG_SWAP);
const GOOD: SaveAreaPage = SaveAreaPage { gpa: Gpa(0x1000), features: SevFeatures::SNP_ACTIVE };

/// Two processors, both of which run VMPL0.
fn processors() -> (Processors, ProcessorIndex, ProcessorIndex) {
    let defaults = ProcessorDefaults { supported_features: FEATURES, ghcb_msr: 0x55 };
    let mut processors = Processors::new(2, defaults).unwrap();
    let [first, second] = [0, 1].map(|id| processors.index(id).unwrap());
    for processor in [first, second] {
        let target = Target { processor, vmpl: Vmpl::Vmpl0 };
        processors.launch(target, GOOD, LaunchState::Runs).unwrap();
    }
    (processors, first, second)
}

fn at(processor: ProcessorIndex, vmpl: Vmpl) -> Target {
    Target { processor, vmpl }
}

#[test]
fn there_are_one_to_eight_processors() {
    let defaults = ProcessorDefaults { supported_features: FEATURES, ghcb_msr: 0 };
    for count in [0, 17, u32::MAX] {
        assert_eq!(Processors::new(count, defaults), Err(ProcessorCountError(count)));
    }
    for count in 1..=8 {
        let processors = Processors::new(count, defaults).unwrap();
        assert_eq!(processors.indices().count(), count as usize);
        assert!(processors.index(count - 1).is_some() && processors.index(count).is_none());
        assert!(processors.indices().all(|index| processors.running(index).is_none()));
    }
}

#[test]
fn no_level_creates_or_destroys_above_itself() {
    let (mut processors, first, second) = processors();
    processors.create(second, at(first, Vmpl::Vmpl2), GOOD).unwrap();
    for vmpl in [Vmpl::Vmpl0, Vmpl::Vmpl1] {
        let error = CreationRefusal::AboveCaller { asking: Vmpl::Vmpl2, target: vmpl };
        let target = at(second, vmpl);
        assert_eq!(processors.create(first, target, GOOD), Err(error));
        assert_eq!(processors.create_on_init(first, target, GOOD), Err(error));
        assert_eq!(processors.destroy(first, target), Err(error));
    }
    for vmpl in [Vmpl::Vmpl2, Vmpl::Vmpl3] {
        assert_eq!(processors.create_on_init(first, at(second, vmpl), GOOD), Ok(()));
    }
    assert_eq!(processors.running(second).unwrap().vmpl, Vmpl::Vmpl0);
}

#[test]
fn the_top_level_does_not_replace_itself() {
    let (mut processors, first, second) = processors();
    let own = at(first, Vmpl::Vmpl0);
    assert_eq!(processors.create(first, own, GOOD), Err(CreationRefusal::OwnTopLevel));
    assert_eq!(processors.destroy(first, own), Err(CreationRefusal::OwnTopLevel));
    assert_eq!(processors.destroy(second, own), Ok(()));
    assert_eq!(processors.state(first), RunState::NotCreated);
}

#[test]
fn save_areas_are_at_addresses_that_processors_can_use() {
    let (mut processors, first, second) = processors();
    for (gpa, error) in [
        (0x1001, CreationRefusal::Unaligned(Gpa(0x1001))),
        (1 << 52 | 0x1000, CreationRefusal::Unaligned(Gpa(1 << 52 | 0x1000))),
        (0, CreationRefusal::LargePageAligned(Gpa(0))),
        (0x4060_0000, CreationRefusal::LargePageAligned(Gpa(0x4060_0000))),
    ] {
        let page = SaveAreaPage { gpa: Gpa(gpa), ..GOOD };
        assert_eq!(processors.create(first, at(second, Vmpl::Vmpl1), page), Err(error));
    }
    assert_eq!(processors.context_at(at(second, Vmpl::Vmpl1)), None);
}

#[test]
fn features_are_those_of_the_levels_first_save_area() {
    let (mut processors, first, second) = processors();
    let with = |features| SaveAreaPage { features, ..GOOD };
    let target = at(second, Vmpl::Vmpl1);
    let bare = SevFeatures::DEBUG_SWAP;
    assert_eq!(processors.create(first, target, with(bare)), Err(CreationRefusal::NotSnp(bare)));
    let unsupported = SevFeatures::SECURE_TSC;
    let error = CreationRefusal::Unsupported(unsupported);
    assert_eq!(processors.create(first, target, with(FEATURES | unsupported)), Err(error));
    // Another set than VMPL0's, and from now on VMPL1's.
    assert_eq!(processors.create(first, target, with(FEATURES)), Ok(()));
    let given = SevFeatures::SNP_ACTIVE;
    let error = CreationRefusal::OtherFeatures { expected: FEATURES, given };
    assert_eq!(processors.create(second, at(first, Vmpl::Vmpl1), GOOD), Err(error));
}

#[test]
fn a_kept_save_area_changes_nothing_until_init() {
    let (mut processors, first, second) = processors();
    let before = processors.running(second);
    processors.create_on_init(first, at(second, Vmpl::Vmpl0), GOOD).unwrap();
    assert_eq!(processors.running(second), before);
    processors.init(second);
    let after = processors.running(second);
    assert_ne!(after, before);
    assert_eq!(processors.state(second), RunState::WaitsForStartup(after.unwrap()));
}

#[test]
fn destruction_takes_a_kept_save_area_too() {
    let (mut processors, first, second) = processors();
    let target = at(second, Vmpl::Vmpl2);
    processors.create_on_init(first, target, GOOD).unwrap();
    processors.destroy(first, target).unwrap();
    let before = processors.state(second);
    processors.init(second);
    assert_eq!(processors.state(second), before);
}

#[test]
fn the_most_privileged_launched_level_runs() {
    let defaults = ProcessorDefaults { supported_features: FEATURES, ghcb_msr: 0x55 };
    let mut processors = Processors::new(1, defaults).unwrap();
    let boot = ProcessorIndex::BOOT;
    for (vmpl, runs) in
        [(Vmpl::Vmpl2, Vmpl::Vmpl2), (Vmpl::Vmpl0, Vmpl::Vmpl0), (Vmpl::Vmpl1, Vmpl::Vmpl0)]
    {
        processors.launch(at(boot, vmpl), GOOD, LaunchState::Runs).unwrap();
        assert_eq!(processors.running(boot).unwrap().vmpl, runs);
    }
    assert_eq!(processors.context(boot).unwrap().ghcb_msr, 0x55);
    let page = SaveAreaPage { gpa: Gpa(0), ..GOOD };
    let error = Err(CreationRefusal::LargePageAligned(Gpa(0)));
    assert_eq!(processors.launch(at(boot, Vmpl::Vmpl3), page, LaunchState::Runs), error);
}
