//! The processor is what CPUID and the image say.

use crate::trial::{Outcome, Trial, check, equal};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "processor::says_who_made_it", run: says_who_made_it },
    Trial { name: "processor::unknown_leaves_are_zeros", run: unknown_leaves_are_zeros },
    Trial { name: "processor::maskings_nest", run: maskings_nest },
];

fn says_who_made_it() -> Outcome {
    let answer = hal::cpuid::query(0, 0);
    let registers = [answer.ebx, answer.edx, answer.ecx].map(u32::to_le_bytes);
    equal(registers.as_flattened(), b"AuthenticAMD".as_slice(), "the vendor")?;
    check(answer.eax >= 7, "leaves up to 7 are there")
}

fn unknown_leaves_are_zeros() -> Outcome {
    for leaf in [0x2000_0000, 0x8fff_ffff, u32::MAX] {
        let answer = hal::cpuid::query(leaf, 0);
        let registers = [answer.eax, answer.ebx, answer.ecx, answer.edx];
        // Outside of SEV-SNP, processors answer with their last basic leaf at
        // worst, for which there are no promises.
        if hal::image::boot_block().platform == abi_boot::Platform::SNP {
            equal(registers, [0; 4], "an unknown leaf")?;
        }
    }
    Ok(())
}

fn maskings_nest() -> Outcome {
    let outer = hal::sync::mask();
    drop(hal::sync::mask());
    drop(outer);
    let lock = hal::sync::SpinLock::new(hal::sync::Rank::Console, 1);
    *lock.lock() += 1;
    equal(*lock.lock(), 2, "what the lock protects")
}
