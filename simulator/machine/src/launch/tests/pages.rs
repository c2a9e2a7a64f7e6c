//! Pages: what the guest finds, what is measured, what is refused.

use core::num::NonZero;

use abi_snp::{
    CpuidEntry, CpuidPage, Digest, FirmwareStatus, PageInfoFlags, PagePermissions, PageSize,
    SecretsPage, SevFeatures, Vmpl, VmplPermissions, Vmsa,
};
use proptest::prelude::*;
use snp_launch::{LaunchDigest, PageContents};
use zerocopy::{FromBytes, IntoBytes};

use crate::cpuid::CpuidRefusal;
use crate::gpa::Gpa;
use crate::guest_memory::NoMemory;
use crate::launch::samples::{
    MEMORY, Memory, PAGES, POLICY, SEED, page, parameters, platform, reverse_map,
};
use crate::launch::{
    FinishParameters, Launch, LaunchPage, PageContent, PolicyViolation, StartParameters,
    UpdateRefusal, Zeros,
};
use crate::platform::Platform;
use crate::reverse_map::{
    Assignment, FirmwareRefusal, MemoryRange, PageState, RefusalRule, ReverseMap,
};

/// A launch with everything around it.
struct Stage<'p> {
    launch: Launch<'p>,
    reverse_map: ReverseMap,
    memory: Memory,
}

impl<'p> Stage<'p> {
    fn new(platform: &'p Platform) -> Self {
        let launch = Launch::start(platform, parameters(), SEED).unwrap();
        Self { launch, reverse_map: reverse_map(), memory: Memory::new(MEMORY) }
    }

    fn update(&mut self, page: LaunchPage<'_>) -> Result<(), UpdateRefusal> {
        self.launch.update(&mut self.reverse_map, &mut self.memory, page)
    }

    fn content(&self, gpa: u64) -> &[u8; 4096] {
        &self.memory.private[&(gpa / 0x1000)]
    }

    fn state(&self, gpa: u64) -> PageState {
        self.reverse_map.entry(Gpa(gpa)).unwrap().state()
    }
}

/// The digest of one page.
fn digest(gpa: u64, contents: PageContents<'_>) -> Digest {
    let mut digest = LaunchDigest::new();
    digest.add_page(gpa, contents, VmplPermissions::NONE, PageInfoFlags::empty());
    digest.value()
}

fn vmsa(features: SevFeatures) -> [u8; 4096] {
    let mut vmsa = Vmsa::zeroed();
    vmsa.sev_features = features;
    (vmsa.guest_tsc_scale, vmsa.guest_tsc_offset, vmsa.rip) = (0x123, 0x456, 0xfff0);
    vmsa.as_bytes().try_into().unwrap()
}

#[test]
fn launch_without_pages_has_the_empty_digest() {
    let platform = platform();
    assert_eq!(Stage::new(&platform).launch.digest(), Digest::ZERO);
}

#[test]
fn pages_are_the_guests_and_measured_by_type() {
    let platform = platform();
    let (normal, unmeasured) = ([0xaa; 4096], [0xbb; 4096]);
    let mut stage = Stage::new(&platform);
    let mut expected = LaunchDigest::new();
    let mut cpuid = platform.cpuid.fill(&CpuidPage::new(&[]).unwrap()).unwrap();
    let filled = cpuid.clone();
    let save_area = vmsa(SevFeatures::SNP_ACTIVE);
    let mut measured_save_area = Vmsa::read_from_bytes(&save_area).unwrap();
    (measured_save_area.guest_tsc_scale, measured_save_area.guest_tsc_offset) = (0, 0);
    let measured_save_area = measured_save_area.as_bytes().try_into().unwrap();
    let pages = [
        (PageContent::Normal(&normal), PageContents::Normal(&normal)),
        (PageContent::Vmsa(&save_area), PageContents::Vmsa(&measured_save_area)),
        (PageContent::Zero, PageContents::Zero),
        (PageContent::Unmeasured(&unmeasured), PageContents::Unmeasured),
        (PageContent::Secrets, PageContents::Secrets),
        (PageContent::Cpuid(&mut cpuid), PageContents::Cpuid),
    ];
    for (gpa, (content, contents)) in (0_u64..).step_by(0x1000).zip(pages) {
        stage.update(page(gpa, content)).unwrap();
        expected.add_page(gpa, contents, VmplPermissions::NONE, PageInfoFlags::empty());
        assert_eq!(stage.launch.digest(), expected.value());
        assert_eq!(stage.state(gpa), PageState::GuestValid);
        let entry = stage.reverse_map.entry(Gpa(gpa)).unwrap();
        assert_eq!(entry.is_save_area(), gpa == 0x1000);
        assert_eq!(entry.permissions(Vmpl::Vmpl1), PagePermissions::empty());
    }
    assert_eq!(*stage.content(0), normal);
    assert_eq!(*stage.content(0x1000), save_area);
    assert_eq!(*stage.content(0x2000), [0; 4096]);
    assert_eq!(*stage.content(0x3000), unmeasured);
    assert_eq!(*stage.content(0x5000), filled.as_bytes());
    let digest = stage.launch.digest();
    let finish = FinishParameters { identity: None, host_data: [9; 32] };
    let guest = stage.launch.finish(finish).unwrap();
    assert_eq!((guest.measurement, guest.policy, guest.host_data), (digest, POLICY, [9; 32]));
    assert_eq!((guest.launch_tcb, guest.launch_mitigations), (platform.current_tcb, 5));
    assert_eq!((guest.id_key_digest(), guest.author_key_digest()), (Digest::ZERO, None));
    assert_eq!((guest.family_id(), guest.image_id(), guest.guest_svn()), ([0; 16], [0; 16], 0));
}

#[test]
fn permissions_of_lower_levels_are_measured_and_given() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    let read = PagePermissions::READ;
    let permissions = VmplPermissions { vmpl2: read, ..VmplPermissions::NONE };
    stage.update(LaunchPage { permissions, ..page(0, PageContent::Zero) }).unwrap();
    let entry = stage.reverse_map.entry(Gpa(0)).unwrap();
    assert_eq!(entry.permissions(Vmpl::Vmpl2), read);
    assert_eq!(entry.permissions(Vmpl::Vmpl3), PagePermissions::empty());
    assert_ne!(stage.launch.digest(), digest(0, PageContents::Zero));
}

#[test]
fn address_is_measured() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    stage.update(page(0x3000, PageContent::Zero)).unwrap();
    assert_eq!(stage.launch.digest(), digest(0x3000, PageContents::Zero));
}

#[test]
fn secrets_page_holds_the_keys_and_the_facts() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    stage.update(page(0x1000, PageContent::Secrets)).unwrap();
    let page = SecretsPage::read_from_bytes(stage.content(0x1000)).unwrap();
    assert_eq!((page.version, page.migration_image_enabled), (3, 0));
    assert_eq!(page.family_model_stepping, 0x00a1_0f11);
    assert_eq!((page.guest_os_workarounds, page.tsc_factor), ([7; 16], 200));
    assert_eq!((page.svsm_base, page.svsm_size, page.vmsa_tweak_bitmap), (0, 0, [0; 64]));
    let finish = FinishParameters { identity: None, host_data: [0; 32] };
    let guest = stage.launch.finish(finish).unwrap();
    let keys = guest.message_keys();
    for (level, key) in page.vmpck.iter().enumerate() {
        assert_eq!(key.expose(), keys[level].expose());
        assert!(keys[..level].iter().all(|other| other.expose() != key.expose()));
        assert_ne!(*key.expose(), [0; 32]);
    }
}

#[test]
fn seed_makes_the_guest() {
    let platform = platform();
    let guest = |seed| {
        let finish = FinishParameters { identity: None, host_data: [0; 32] };
        Launch::start(&platform, parameters(), seed).unwrap().finish(finish).unwrap()
    };
    let (one, same, other) = (guest([1; 32]), guest([1; 32]), guest([2; 32]));
    assert_eq!(one.report_id, same.report_id);
    assert_eq!(one.message_keys()[2].expose(), same.message_keys()[2].expose());
    assert_ne!(one.report_id, other.report_id);
    assert_ne!(one.message_keys()[0].expose(), other.message_keys()[0].expose());
    assert_ne!(one.report_id, *one.message_keys()[0].expose());
}

#[test]
fn secure_tsc_is_filled_in_and_not_measured() {
    let platform = platform();
    let features = SevFeatures::SNP_ACTIVE | SevFeatures::SECURE_TSC;
    let save_area = vmsa(features);
    let tsc_khz = NonZero::new(3_000_000);
    let parameters = StartParameters { tsc_khz, ..parameters() };
    let mut stage = Stage::new(&platform);
    stage.launch = Launch::start(&platform, parameters, SEED).unwrap();
    stage.update(page(0, PageContent::Vmsa(&save_area))).unwrap();
    let written = Vmsa::read_from_bytes(stage.content(0)).unwrap();
    assert_eq!((written.guest_tsc_scale, written.guest_tsc_offset), (3 << 31, 0));
    assert_eq!((written.rip, written.sev_features), (0xfff0, features));
    let mut measured = Vmsa::read_from_bytes(&save_area).unwrap();
    (measured.guest_tsc_scale, measured.guest_tsc_offset) = (0, 0);
    let measured = measured.as_bytes().try_into().unwrap();
    assert_eq!(stage.launch.digest(), digest(0, PageContents::Vmsa(&measured)));
    let finish = FinishParameters { identity: None, host_data: [0; 32] };
    let tsc = stage.launch.finish(finish).unwrap().tsc;
    assert_eq!((tsc.scale, tsc.offset, tsc.factor), (3 << 31, 0, 200));
}

#[test]
fn wrong_cpuid_page_is_corrected_and_refused() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    let mut lie = CpuidEntry::request(0x8000_001f, 0);
    lie.eax = u32::MAX;
    let mut cpuid = CpuidPage::new(&[lie]).unwrap();
    let refusal = stage.update(page(0x2000, PageContent::Cpuid(&mut cpuid))).unwrap_err();
    let wrong = CpuidRefusal::Incorrect { leaf: 0x8000_001f, subleaf: 0 };
    assert_eq!(refusal, UpdateRefusal::Cpuid(wrong));
    assert_eq!(refusal.status(), Some(FirmwareStatus::INVALID_PARAMETER));
    assert_eq!((stage.launch.digest(), stage.memory.private.len()), (Digest::ZERO, 0));
    assert_eq!(stage.state(0x2000), PageState::GuestInvalid);
    // The host tries again with what it got back.
    stage.update(page(0x2000, PageContent::Cpuid(&mut cpuid))).unwrap();
    assert_eq!(stage.state(0x2000), PageState::GuestValid);
}

#[test]
fn large_zeros_measure_as_small_ones() {
    const LARGE: u64 = 0x20_0000;
    let platform = platform();
    let machine = || {
        let launch = Launch::start(&platform, parameters(), SEED).unwrap();
        let memory = [MemoryRange { start: Gpa(0), bytes: 2 * LARGE }];
        (launch, ReverseMap::new(&memory).unwrap(), Memory::new(2 * LARGE))
    };
    for zeros in [Zeros::Normal, Zeros::Zero] {
        let (mut small, mut map, mut memory) = machine();
        for gpa in (LARGE..2 * LARGE).step_by(4096) {
            let content = match zeros {
                Zeros::Normal => PageContent::Normal(&[0; 4096]),
                Zeros::Zero => PageContent::Zero,
            };
            small.update(&mut map, &mut memory, page(gpa, content)).unwrap();
        }
        let (mut large, mut map, mut memory) = machine();
        let mut update = |gpa| {
            let permissions = VmplPermissions::NONE;
            large.update_large_zeros(&mut map, &mut memory, Gpa(gpa), zeros, permissions)
        };
        assert_eq!(update(LARGE), Ok(()));
        // Not twice, not where no page of 2 MiB starts, not beyond memory.
        let twice = UpdateRefusal::from(FirmwareRefusal::InvalidPageState);
        assert_eq!(update(LARGE), Err(twice));
        for gpa in [0x1000, 2 * LARGE] {
            assert_eq!(update(gpa), Err(UpdateRefusal::HandOver(RefusalRule::HostTarget)));
        }
        assert_eq!(large.digest(), small.digest());
        let entry = map.entry(Gpa(LARGE + 0x5000)).unwrap();
        assert_eq!((entry.state(), entry.page_size()), (PageState::GuestValid, PageSize::Size2M));
        assert!((0x200..0x400).eq(memory.private.keys().copied()));
    }
}

#[test]
fn page_cannot_be_launched_twice() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    stage.update(page(0, PageContent::Normal(&[1; 4096]))).unwrap();
    let digest = stage.launch.digest();
    let refusal = stage.update(page(0, PageContent::Normal(&[2; 4096]))).unwrap_err();
    assert_eq!(refusal, UpdateRefusal::Command(FirmwareRefusal::InvalidPageState));
    assert_eq!(refusal.status(), Some(FirmwareStatus::INVALID_PAGE_STATE));
    assert_eq!((*stage.content(0), stage.launch.digest()), ([1; 4096], digest));
    assert_eq!(stage.state(0), PageState::GuestValid);
}

#[test]
fn pages_that_are_not_there_are_refused() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    for gpa in [1, PAGES * 0x1000, u64::MAX] {
        let refusal = stage.update(page(gpa, PageContent::Zero)).unwrap_err();
        assert_eq!(refusal, UpdateRefusal::HandOver(RefusalRule::HostTarget));
        assert_eq!(refusal.status(), None);
    }
    let gpa = (PAGES - 1) * 0x1000;
    let refusal = stage.update(page(gpa, PageContent::Zero)).unwrap_err();
    assert_eq!(refusal, UpdateRefusal::Memory(NoMemory(Gpa(gpa))));
    assert_eq!(refusal.status(), Some(FirmwareStatus::INVALID_ADDRESS));
    assert_eq!(stage.launch.digest(), Digest::ZERO);
    assert_ne!(stage.state(gpa), PageState::GuestValid);
}

#[test]
fn page_in_other_hands_is_refused() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    stage.reverse_map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    let refusal = stage.update(page(0, PageContent::Zero)).unwrap_err();
    assert_eq!(refusal, UpdateRefusal::HandOver(RefusalRule::HostMutable));
}

#[test]
fn policy_is_looked_at_first() {
    let platform = platform();
    let policy = abi_snp::Policy::from_bits(0);
    let parameters = StartParameters { policy, ..parameters() };
    let violation = Launch::start(&platform, parameters, SEED).unwrap_err();
    assert_eq!(violation, PolicyViolation::Malformed(policy));
}

#[test]
fn secrets_do_not_show() {
    let platform = platform();
    let mut stage = Stage::new(&platform);
    stage.update(page(0, PageContent::Secrets)).unwrap();
    let text = alloc::format!("{:?}", stage.launch);
    let finish = FinishParameters { identity: None, host_data: [0; 32] };
    let guest = stage.launch.finish(finish).unwrap();
    let text = text + &alloc::format!("{guest:?}");
    assert!(text.contains("redacted"));
    let key = alloc::format!("{:?}", guest.message_keys()[0].expose());
    assert!(!text.contains(&key[1..20]) && !text.contains("94, 94, 94"), "{text}");
}

proptest! {
    #[test]
    fn digest_is_that_of_the_measurer(
        pages in prop::collection::vec((any::<u8>(), 0..4_u8), 1..16),
    ) {
        let platform = platform();
        let mut stage = Stage::new(&platform);
        let mut expected = LaunchDigest::new();
        for (gpa, (byte, kind)) in (0_u64..).step_by(0x1000).zip(pages) {
            let bytes = [byte; 4096];
            let (content, contents) = match kind {
                0 => (PageContent::Normal(&bytes), PageContents::Normal(&bytes)),
                1 => (PageContent::Zero, PageContents::Zero),
                2 => (PageContent::Unmeasured(&bytes), PageContents::Unmeasured),
                _ => (PageContent::Secrets, PageContents::Secrets),
            };
            stage.update(page(gpa, content)).unwrap();
            expected.add_page(gpa, contents, VmplPermissions::NONE, PageInfoFlags::empty());
        }
        prop_assert_eq!(stage.launch.digest(), expected.value());
    }

    #[test]
    fn arbitrary_cpuid_pages_do_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 4096), few: bool,
    ) {
        let mut bytes = bytes;
        if few {
            bytes[..16].fill(0);
            bytes[0] = 2;
        }
        let mut cpuid = CpuidPage::read_from_bytes(&bytes).unwrap();
        let platform = platform();
        let mut stage = Stage::new(&platform);
        let result = stage.update(page(0, PageContent::Cpuid(&mut cpuid)));
        prop_assert_eq!(result.is_ok(), stage.state(0) == PageState::GuestValid);
    }
}
