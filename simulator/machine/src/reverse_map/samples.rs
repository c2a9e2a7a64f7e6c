//! Small machines and pages in every state, for the tests of this room.

use core::convert::Infallible;

use abi_snp::{PagePermissions, PageType, VmplPermissions};

use crate::execution::Execution;
use crate::gpa::Gpa;
use crate::reverse_map::completion::{Completion, Outcome};
use crate::reverse_map::fault::{Fault, FaultKind};
use crate::reverse_map::host::Assignment;
use crate::reverse_map::instruction::{Encryption, Registers, Translation};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::rule::{FaultRule, RefusalRule};
use crate::reverse_map::table::MemoryRange;
use abi_snp::PageSize;
use abi_snp::Vmpl;

pub(crate) const SMALL: u64 = PageSize::Size4K.bytes();
pub(crate) const LARGE: u64 = PageSize::Size2M.bytes();

/// An address that no sample machine covers.
pub(crate) const NOWHERE: Gpa = Gpa(1 << 40);

/// Everything that a page can be launched with for the levels below VMPL0.
pub(crate) const NO_LOWER: VmplPermissions = VmplPermissions::NONE;

/// A machine with 8 MiB at 0, all the hypervisor's.
pub(crate) fn machine() -> ReverseMap {
    ReverseMap::new(&[MemoryRange { start: Gpa(0), bytes: 4 * LARGE }]).unwrap()
}

/// Makes the page the guest's.
pub(crate) fn assign(map: &mut ReverseMap, gpa: Gpa, size: PageSize) {
    map.rmpupdate(gpa, size, Assignment::Guest).unwrap();
}

/// Makes the page the guest's and validates it, as a launch does.
pub(crate) fn launch(map: &mut ReverseMap, gpa: Gpa, size: PageSize) {
    launch_as(map, gpa, size, PageType::NORMAL, NO_LOWER);
}

/// Launches a page of `page_type`.
pub(crate) fn launch_as(
    map: &mut ReverseMap,
    gpa: Gpa,
    size: PageSize,
    page_type: PageType,
    lower: VmplPermissions,
) {
    map.rmpupdate(gpa, size, Assignment::Immutable).unwrap();
    map.launch_update(gpa, size, page_type, lower).unwrap();
}

/// Registers of PVALIDATE.
pub(crate) fn pvalidate(address: u64, size: PageSize, validate: u64) -> Registers {
    Registers { rax: address, rcx: size as u64, rdx: validate }
}

/// Registers of RMPADJUST.
pub(crate) fn rmpadjust(
    address: u64,
    size: PageSize,
    target: Vmpl,
    permissions: PagePermissions,
) -> Registers {
    let rdx = u64::from(permissions.bits()) << 8 | u64::from(target.number());
    Registers { rax: address, rcx: size as u64, rdx }
}

/// A private mapping in which linear and guest physical addresses are the same.
pub(crate) fn identity(address: u64) -> Result<Translation, Infallible> {
    Ok(Translation { gpa: Gpa(address), encryption: Encryption::Private })
}

/// A translation for instructions that end before they need one.
pub(crate) fn unreached(address: u64) -> Result<Translation, Infallible> {
    panic!("the instruction translates {address:#x} though it cannot be executed");
}

pub(crate) const VMPL0: Execution = Execution::kernel(Vmpl::Vmpl0);
pub(crate) const VMPL1: Execution = Execution::kernel(Vmpl::Vmpl1);
pub(crate) const VMPL2: Execution = Execution::kernel(Vmpl::Vmpl2);

pub(crate) fn validate(map: &mut ReverseMap, address: u64, size: PageSize) -> Outcome {
    map.pvalidate(&pvalidate(address, size, 1), &VMPL0, identity).unwrap()
}

pub(crate) fn rescind(map: &mut ReverseMap, address: u64, size: PageSize) -> Outcome {
    map.pvalidate(&pvalidate(address, size, 0), &VMPL0, identity).unwrap()
}

pub(crate) fn adjust(
    map: &mut ReverseMap,
    execution: &Execution,
    registers: &Registers,
) -> Outcome {
    map.rmpadjust(registers, execution, identity).unwrap()
}

/// The outcome of an instruction that did what it should.
pub(crate) const DONE: Outcome = Outcome::Complete(Completion::SUCCESS);

/// The outcome of an instruction that `rule` refused.
pub(crate) fn refused(rule: RefusalRule) -> Outcome {
    Outcome::Complete(Completion::refused(rule))
}

/// The rule that an instruction broke, and the error code if that was a nested
/// page fault.
pub(crate) fn broken(outcome: Outcome) -> (FaultRule, Option<u64>) {
    match outcome {
        Outcome::Fault(Fault { rule, kind: FaultKind::NestedPageFault { error, .. } }) => {
            (rule, Some(error.bits()))
        }
        Outcome::Fault(Fault { rule, .. }) => (rule, None),
        Outcome::Complete(completion) => panic!("{completion:?}"),
    }
}
