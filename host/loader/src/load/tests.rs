//! What is loaded is what the file says, in its order.

mod digests;
mod parameters;
mod refusals;
mod samples;

use abi_simulator::launch::{AuthorKey, LaunchFile, LaunchStep};
use abi_snp::{PagePermissions, PageSize, PageType, Vmpl, VmplPermissions};
use igvm_defs::{IgvmPageDataFlags, IgvmPageDataType};

use crate::MachineOptions;
use samples::{NATIVE, SNP, page, typed_page};

const FLAGS: IgvmPageDataFlags = IgvmPageDataFlags::new();

/// Addresses, pages, types, sizes and what is there of content, step by step.
fn shape(file: &LaunchFile<'_>) -> Vec<(u64, u64, &'static str, usize)> {
    let shape = |step: &LaunchStep<'_>| match step {
        LaunchStep::Private(pages) => {
            let run = pages.run;
            let name = match (run.page_type, run.size) {
                (PageType::NORMAL, PageSize::Size2M) => "large",
                (page_type, _) => page_type.name().unwrap(),
            };
            (run.gpa, run.count, name, pages.content.len())
        }
        LaunchStep::Shared(shared) => {
            (shared.gpa, shared.content.len() as u64, "shared", shared.content.len())
        }
        LaunchStep::Given(given) => (given.gpa, given.count, "given", 0),
    };
    file.steps.iter().map(shape).collect()
}

#[test]
fn neighbours_that_are_alike_become_one_step() {
    let directives = vec![
        page(0x1000, SNP, &[1; 4096]),
        page(0x2000, SNP, &[2; 4096]),
        // A gap, zeros, another type, and back.
        page(0x4000, SNP, &[3; 4096]),
        page(0x5000, SNP, &[]),
        page(0x6000, SNP, &[]),
        typed_page(0x7000, SNP, IgvmPageDataType::NORMAL, FLAGS.with_unmeasured(true), &[]),
        typed_page(0x8000, SNP, IgvmPageDataType::SECRETS, FLAGS, &[]),
        typed_page(0x9000, SNP, IgvmPageDataType::CPUID_DATA, FLAGS, &[4; 4096]),
        typed_page(0xa000, SNP, IgvmPageDataType::CPUID_XF, FLAGS, &[5; 4096]),
        typed_page(0xb000, SNP, IgvmPageDataType::NORMAL, FLAGS.with_shared(true), &[6; 4096]),
        typed_page(0xc000, SNP, IgvmPageDataType::NORMAL, FLAGS.with_shared(true), &[]),
        // Descending addresses are not joined.
        page(0x1_1000, SNP, &[]),
        page(0x1_0000, SNP, &[]),
        typed_page(0x20_0000, SNP, IgvmPageDataType::NORMAL, FLAGS.with_is_2mb_page(true), &[]),
        typed_page(0x40_0000, SNP, IgvmPageDataType::NORMAL, FLAGS.with_is_2mb_page(true), &[]),
        page(0x60_0000, SNP, &[]),
        samples::context(0),
    ];
    let bytes = samples::load(directives);
    let file = LaunchFile::parse(&bytes).unwrap();
    let expected = [
        (0x1000, 2, "normal", 2),
        (0x4000, 1, "normal", 1),
        (0x5000, 2, "normal", 0),
        (0x7000, 1, "unmeasured", 0),
        (0x8000, 1, "secrets", 0),
        (0x9000, 2, "cpuid", 2),
        (0xb000, 2, "shared", 2),
        (0x1_1000, 1, "normal", 0),
        (0x1_0000, 1, "normal", 0),
        (0x20_0000, 1024, "large", 0),
        (0x60_0000, 1, "normal", 0),
        (samples::VMSA_GPA, 1, "vmsa", 1),
    ];
    assert_eq!(shape(&file), expected);
    let LaunchStep::Private(first) = file.steps[0] else { panic!("{:?}", file.steps[0]) };
    assert_eq!(first.content, [[1; 4096], [2; 4096]]);
    let LaunchStep::Shared(shared) = file.steps[6] else { panic!("{:?}", file.steps[6]) };
    assert_eq!(shared.content, [[6; 4096], [0; 4096]]);
}

#[test]
fn required_memory_is_the_guests() {
    let directives = vec![
        samples::required_memory(0x8000, 0x5000, SNP),
        samples::required_memory(0x1_0000, 0x1000, NATIVE),
        page(0x9000, SNP, &[]),
        typed_page(0xb000, SNP, IgvmPageDataType::NORMAL, FLAGS.with_shared(true), &[]),
        samples::context(0),
    ];
    let bytes = samples::load(directives);
    let file = LaunchFile::parse(&bytes).unwrap();
    let expected = [
        (0x9000, 1, "normal", 0),
        (0xb000, 1, "shared", 1),
        (samples::VMSA_GPA, 1, "vmsa", 1),
        (0x8000, 1, "given", 0),
        (0xa000, 1, "given", 0),
        (0xc000, 1, "given", 0),
    ];
    assert_eq!(shape(&file), expected);
}

#[test]
fn processors_start_with_their_save_areas() {
    let directives = vec![page(0x1000, SNP, &[1; 4096]), samples::context(1), samples::context(0)];
    let bytes = samples::load(directives);
    let file = LaunchFile::parse(&bytes).unwrap();
    let processors: Vec<_> = file
        .steps
        .iter()
        .filter_map(|step| match step {
            LaunchStep::Private(pages) if pages.run.page_type == PageType::VMSA => {
                Some((pages.run.vcpu, pages.content[0][0x178]))
            }
            _ => None,
        })
        .collect();
    // The low byte of RIP tells them apart.
    assert_eq!(processors, [(1, 1), (0, 0)]);
}

#[test]
fn a_guest_can_be_started_below_the_top() {
    let shared = FLAGS.with_shared(true);
    let directives = vec![
        page(0x1000, SNP, &[1; 4096]),
        typed_page(0x2000, SNP, IgvmPageDataType::SECRETS, FLAGS, &[]),
        typed_page(0x3000, SNP, IgvmPageDataType::NORMAL, shared, &[2; 4096]),
        samples::context(0),
    ];
    let igvm = samples::igvm(directives);
    let load = |vmpl| super::load(&igvm, &MachineOptions { vmpl, ..samples::machine() }).unwrap();
    let all = PagePermissions::all().difference(PagePermissions::SUPERVISOR_SHADOW_STACK);
    let none = VmplPermissions::NONE;
    for (vmpl, permissions) in [
        (Vmpl::Vmpl0, none),
        (Vmpl::Vmpl1, VmplPermissions { vmpl1: all, ..none }),
        (Vmpl::Vmpl2, VmplPermissions { vmpl2: all, ..none }),
        (Vmpl::Vmpl3, VmplPermissions { vmpl3: all, ..none }),
    ] {
        let bytes = load(Some(vmpl));
        let file = LaunchFile::parse(&bytes).unwrap();
        let private: Vec<_> = file
            .steps
            .iter()
            .filter_map(|step| match step {
                LaunchStep::Private(pages) => Some(pages),
                LaunchStep::Shared(_) | LaunchStep::Given(_) => None,
            })
            .collect();
        assert_eq!(private.len(), 3);
        assert!(private.iter().all(|pages| pages.run.permissions == permissions), "{vmpl}");
        assert_eq!(private[0].content, [[1; 4096]]);
        // The save area's level, and nothing else of it.
        let as_written = load(None);
        let as_written = LaunchFile::parse(&as_written).unwrap();
        let Some(LaunchStep::Private(save_area)) = as_written.steps.last() else { panic!() };
        let mut expected = save_area.content[0];
        expected[0xca] = vmpl.number();
        assert_eq!(private[2].content[0], expected);
    }
}

#[test]
fn other_platforms_do_not_count() {
    let directives = vec![
        page(0x1000, samples::NATIVE, &[1; 4096]),
        page(0x2000, SNP | samples::NATIVE, &[2; 4096]),
        samples::required_memory(0x9000_0000, 0x1000, samples::NATIVE),
        samples::context(0),
    ];
    let bytes = samples::load(directives);
    let file = LaunchFile::parse(&bytes).unwrap();
    let expected = [(0x2000, 1, "normal", 1), (samples::VMSA_GPA, 1, "vmsa", 1)];
    assert_eq!(shape(&file), expected);
    assert_eq!(file.memory, abi_simulator::memory_ranges(samples::MEMORY));
}

#[test]
fn the_file_gets_the_memory_that_it_uses() {
    let directives = vec![
        page(0xffff_f000, SNP, &[1; 4096]),
        samples::required_memory(0x9000_0000, 0x2000, SNP),
        page(0x9000_2000, SNP, &[]),
        samples::context(0),
    ];
    let bytes = samples::load(directives);
    let ranges: Vec<_> = LaunchFile::parse(&bytes).unwrap().memory;
    let ranges: Vec<_> = ranges.iter().map(|range| (range.gpa, range.end())).collect();
    let added = [(0x9000_0000, 0x9000_3000), (0xffff_f000, 1 << 32)];
    assert_eq!(ranges, [&[(0, samples::MEMORY)][..], &added].concat());
}

#[test]
fn what_the_machine_has_is_handed_on() {
    let mut machine = samples::machine();
    machine.certificates = &[1, 2, 3];
    machine.scenario = "be evil";
    let igvm = samples::igvm(vec![samples::context(0)]);
    let bytes = super::load(&igvm, &machine).unwrap();
    let file = LaunchFile::parse(&bytes).unwrap();
    assert_eq!(file.options, machine.options);
    assert_eq!(file.security_processor, machine.security_processor);
    assert_eq!((file.certificates, file.scenario), (machine.certificates, machine.scenario));
    assert_eq!(file.start.host_data, machine.host_data);
    assert_eq!(file.start.policy.bits(), samples::POLICY);
    assert_eq!(file.identity, None);
}

#[test]
fn id_blocks_keep_their_fields() {
    let load = |author| {
        let directives = vec![samples::context(0), samples::id_block(author)];
        let bytes = samples::load(directives);
        *LaunchFile::parse(&bytes).unwrap().identity.unwrap()
    };
    let with = load(1);
    assert_eq!(with.author_key(), AuthorKey::Enabled);
    assert_eq!(with.id_block.launch_digest.0, [1; 48]);
    assert_eq!((with.id_block.family_id, with.id_block.image_id), ([2; 16], [3; 16]));
    assert_eq!((with.id_block.version, with.id_block.guest_svn), (1, 7));
    assert_eq!(with.id_block.policy.bits(), samples::POLICY);
    assert_eq!(with.authentication.id_block_signature.r.0, [4; 72]);
    assert_eq!(with.authentication.id_key.y.0, [7; 72]);
    assert_eq!(with.authentication.author_key.x.0, [10; 72]);
    let without = load(0);
    assert_eq!(without.author_key(), AuthorKey::Disabled);
    assert_eq!(without.authentication.author_key.x.0, [0; 72]);
}
