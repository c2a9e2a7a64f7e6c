//! GHCB MSR protocol: the termination request.
//!
//! An SEV-SNP guest can tell its hypervisor that it gives up without any shared
//! memory, by a value in the GHCB MSR and a VMGEXIT
//! [GHCB 56421 2.04 §2.3.1, "Termination Request"]:
//!
//! | bits | meaning |
//! |---|---|
//! | 11:0 | 0x100 |
//! | 15:12 | reason code set |
//! | 23:16 | reason code |
//! | 63:24 | zero |

/// GHCBInfo of a termination request.
const TERMINATION_REQUEST: u64 = 0x100;

/// The module's reason code set. Set 0 belongs to the GHCB specification, and
/// Linux uses set 1, so that a number in the host's log tells who gave up.
const REASON_SET: u64 = 2;

/// The value that asks for termination with `reason`.
pub(crate) const fn termination_request(reason: u8) -> u64 {
    TERMINATION_REQUEST | REASON_SET << 12 | (reason as u64) << 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_where_the_specification_puts_them() {
        assert_eq!(termination_request(0), 0x00_2100);
        assert_eq!(termination_request(0x8e), 0x8e_2100);
        assert_eq!(termination_request(0xff), 0xff_2100);
    }
}
