//! What is written is read; what breaks a rule is refused and named.

mod hostile;
mod refusals;
mod samples;

use alloc::vec;
use alloc::vec::Vec;

use abi_snp::{PageSize, PageType};

use crate::launch::{AuthorKey, LaunchFile, LaunchFileWriter, LaunchStep, PageRun};

#[test]
fn everything_that_is_written_is_read() {
    let bytes = samples::full();
    assert_eq!(bytes.len() % 8, 0);
    let file = LaunchFile::parse(&bytes).unwrap();
    assert_eq!(file.options, samples::options());
    assert_eq!(file.memory, samples::memory());
    assert_eq!(file.security_processor, samples::security_processor());
    assert_eq!(file.certificates, [1, 2, 3]);
    assert_eq!(file.scenario, "be evil");
    assert_eq!(file.start, samples::start());
    assert_eq!(file.identity.as_deref(), Some(&samples::identity()));
    assert_eq!(file.identity.unwrap().author_key(), AuthorKey::Enabled);

    let [
        LaunchStep::Private(zero),
        LaunchStep::Private(two),
        LaunchStep::Shared(shared),
        LaunchStep::Given(given),
        save_area,
    ] = file.steps[..]
    else {
        panic!("five steps were written, but {:?} were read", file.steps)
    };
    assert_eq!((zero.run.page_type, zero.run.size), (PageType::NORMAL, PageSize::Size2M));
    assert!(zero.iter().all(|(_, content)| content.is_none()));
    assert!(zero.iter().map(|(gpa, _)| gpa).eq((0x20_0000..0x40_0000).step_by(4096)));
    let pages: Vec<_> = two.iter().collect();
    assert_eq!(pages, [(0x1000, Some(&[7; 4096])), (0x2000, Some(&[8; 4096]))]);
    assert_eq!(two.run.permissions, samples::permissions());
    assert_eq!((shared.gpa, shared.content), (0x5000, &[[9; 4096]][..]));
    assert_eq!((given.gpa, given.end()), (0x6000, 0x9000));
    let LaunchStep::Private(save_area) = save_area else { panic!("{save_area:?}") };
    assert_eq!((save_area.run.vcpu, save_area.run.page_type), (1, PageType::VMSA));
}

#[test]
fn optional_records_may_be_left_out() {
    let bytes = samples::least().finish().unwrap();
    let file = LaunchFile::parse(&bytes).unwrap();
    assert!(file.certificates.is_empty() && file.scenario.is_empty());
    assert!(file.steps.is_empty() && file.identity.is_none());
}

/// A vector of bytes may lie anywhere.
#[test]
fn no_alignment_is_needed() {
    let bytes = samples::full();
    for shift in 0..8 {
        let mut shifted = vec![0; shift];
        shifted.extend_from_slice(&bytes);
        assert_eq!(LaunchFile::parse(&shifted[shift..]), LaunchFile::parse(&bytes));
    }
}

/// A run that spans two ranges that touch each other is inside.
#[test]
fn neighbouring_ranges_count_as_one() {
    let mut writer = LaunchFileWriter::new(&samples::options());
    writer.memory(&[samples::range(0, 0x2000), samples::range(0x2000, 0x2000)]);
    writer.security_processor(&samples::security_processor());
    writer.launch_start(&samples::start());
    writer.pages(&PageRun::new(0x1000, 3, PageType::NORMAL), []);
    assert!(writer.finish().is_ok());
}
