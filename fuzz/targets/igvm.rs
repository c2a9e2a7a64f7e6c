//! IGVM files: reading, measuring, loading, describing and comparing them
//! neither panics nor runs away, whatever they contain.
//!
//! A file carries its size and a checksum over its headers, which random
//! changes would hardly ever hit; so both are put right first.
#![no_main]

use abi_simulator::launch::{
    CpuidAdditions, CpuidPolicy, Options as Machine, SecurityProcessor, Trace,
};
use abi_snp::SevFeatures;
use libfuzzer_sys::fuzz_target;
use svsm_image::diff::Diff;
use svsm_image::file::Igvm;
use svsm_image::inspect::Report;
use svsm_image::measure::{self, Options};
use svsm_loader::MachineOptions;
use zerocopy::FromZeros;

fuzz_target!(|input: &[u8]| {
    let mut file = input.to_vec();
    if let Some(checksum) = checksum(&mut file) {
        file[20..24].copy_from_slice(&checksum.to_le_bytes());
    }
    let Ok(igvm) = Igvm::parse(&file) else { return };
    let _ = measure::snp_launch_digest(&igvm, &Options::default());
    let _ = svsm_loader::load(&igvm, &machine());
    let _ = Report::new(&igvm).to_string();
    let _ = Diff::new(&igvm, &igvm).to_string();
});

/// A machine to load files into.
fn machine() -> MachineOptions<'static> {
    MachineOptions {
        options: Machine {
            vcpus: 8,
            c_bit: 51,
            cpuid_policy: CpuidPolicy::REDUCED,
            cpuid_additions: CpuidAdditions::empty(),
            ghcb_minimum: 2,
            ghcb_maximum: 2,
            sev_features: SevFeatures::SNP_ACTIVE,
            hypervisor_feature_bits: 0,
            schedule_seed: 0,
            time_slice_ns: 1_000_000,
            trace: Trace::empty(),
        },
        memory_size: 1 << 30,
        security_processor: SecurityProcessor {
            report_version: 3,
            ..SecurityProcessor::new_zeroed()
        },
        certificates: &[],
        scenario: "",
        host_data: [0; 32],
        command_line: "",
        vmpl: None,
    }
}

/// Writes the file's size into its fixed header (`IGVM_FIXED_HEADER`) and
/// returns the checksum that belongs there: CRC-32 of the fixed header with a
/// zero checksum, and of the variable headers. `None` if there are no such
/// headers in the file.
fn checksum(file: &mut [u8]) -> Option<u32> {
    let size = u32::try_from(file.len()).ok()?;
    file.get_mut(16..20)?.copy_from_slice(&size.to_le_bytes());
    file.get_mut(20..24)?.fill(0);
    let word = |at: usize| -> Option<usize> {
        let bytes = file.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let fixed_size = if word(4)? == 2 { 32 } else { 24 };
    let (start, length) = (word(8)?, word(12)?);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(file.get(..fixed_size)?);
    hasher.update(file.get(start..start.checked_add(length)?)?);
    Some(hasher.finalize())
}
