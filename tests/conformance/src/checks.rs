//! The checks.
//!
//! | file | subject |
//! |---|---|
//! | `identity` | what the guest is told about itself |
//! | `communication` | #VC exceptions and what must not be one |
//! | `msr_protocol` | requests by the GHCB MSR |
//! | `page_protocol` | events of the GHCB page, and malformed requests |
//! | `page_state` | lists of pages to change |
//! | `validation` | PVALIDATE, and pages that are not validated |
//! | `permissions` | RMPADJUST and RMPQUERY |
//! | `translations` | INVLPGB and TLBSYNC |
//! | `levels` | VMPL1 to VMPL3 |
//! | `processors` | other processors |
//! | `interrupts` | local APIC, HLT, NMI |
//! | `doorbell` | restricted injection: #HV and its doorbell page |
//! | `alternate_injection` | events that one level gives to another |
//! | `secure_tsc` | the time stamp counter with Secure TSC |
//! | `guest_requests` | messages to the security processor |

mod alternate_injection;
mod check;
mod communication;
mod doorbell;
mod guest_requests;
mod identity;
mod interrupts;
mod levels;
mod msr_protocol;
mod page_protocol;
mod page_state;
mod permissions;
mod processors;
mod secure_tsc;
mod translations;
mod validation;

pub(crate) use check::Check;

/// All checks, in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    [
        identity::CHECKS,
        communication::CHECKS,
        msr_protocol::CHECKS,
        page_protocol::CHECKS,
        page_state::CHECKS,
        validation::CHECKS,
        permissions::CHECKS,
        translations::CHECKS,
        interrupts::CHECKS,
        guest_requests::CHECKS,
        processors::CHECKS,
        doorbell::CHECKS,
        secure_tsc::CHECKS,
        levels::CHECKS,
        alternate_injection::CHECKS,
    ]
    .into_iter()
    .flatten()
}
