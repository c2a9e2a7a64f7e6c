//! VMGEXIT, and the time.

use core::arch::asm;

use abi_x86::Msr;

/// Writes `value` to the GHCB MSR, exits, and gives what the register holds
/// then [GHCB 56421 2.04 §2.3].
///
/// Whatever is asked for: a host can do no more to this guest's private memory
/// because it is asked to than it can anyway, which is to take it away. So the
/// worst that follows is an exception.
pub(crate) fn exit(value: u64) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: INV-CF-EXIT-1: the GHCB MSR exists on every processor with SEV-SNP;
    // writing it changes no memory. `rep vmmcall` is VMGEXIT [APM 24594
    // VMGEXIT]; the host changes shared memory alone, which Rust code does not
    // use other than by volatile accesses.
    unsafe {
        asm!(
            "wrmsr",
            "rep vmmcall",
            "rdmsr",
            in("ecx") Msr::GHCB.0,
            inout("eax") value as u32 => low,
            inout("edx") (value >> 32) as u32 => high,
            options(nostack, preserves_flags),
        );
    }
    u64::from(high) << 32 | u64::from(low)
}

/// The time stamp counter.
pub(crate) fn time_stamp() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: RDTSC reads a counter.
    unsafe {
        asm!("rdtsc", out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}
