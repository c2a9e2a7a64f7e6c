//! Instructions that the hypervisor executes.

use abi_snp::ghcb::{
    ApJumpTableAction, ExitCode, MalformedInput, NaeError, RequestedException, SaveArea,
    TerminationReason, ValidFields,
};
use abi_x86::Msr;

use crate::cpuid::CpuidQuery;
use crate::ghcb::answer::{Next, Stop};
use crate::ghcb::configuration::Configuration;
use crate::ghcb::counts::{Count, EventKind};
use crate::ghcb::fake_host::{Access, SCRATCH_REGISTER};
use crate::ghcb::host::Hypercall;
use crate::ghcb::test_guest::TestGuest;

const NOTHING: ValidFields = ValidFields::empty();
const RAX_RDX: ValidFields = ValidFields::RAX.union(ValidFields::RDX);
const PROTECTION: NaeError =
    NaeError::Exception(RequestedException::GeneralProtection { error_code: 0 });
const INVALID: NaeError = NaeError::Refused(MalformedInput::INVALID_INPUT);

fn plain(code: ExitCode) -> SaveArea {
    SaveArea::request(code.0, 0, 0)
}

#[test]
fn cpuid_sees_what_the_guest_gives() {
    let mut guest = TestGuest::new();
    let request = SaveArea {
        rax: Some(0xffff_ffff_0000_000d),
        rcx: Some(1),
        xcr0: Some(7),
        xss: Some(0x800),
        ..plain(ExitCode::CPUID)
    };
    let asked = RAX_RDX | ValidFields::RBX | ValidFields::RCX;
    let outputs = guest.outputs(request, asked).unwrap();
    let found = (outputs.rax, outputs.rbx, outputs.rcx, outputs.rdx);
    assert_eq!(found, (0xd, 1, 0xffff_fff2, 0x8000_0001));
    let query = CpuidQuery { leaf: 0xd, subleaf: 1, xcr0: 7, xss: 0x800 };
    assert_eq!(guest.host.take_accesses(), [Access::Cpuid(0, query)]);
    let request = SaveArea { xss: None, ..request };
    guest.outputs(request, asked).unwrap();
    let query = CpuidQuery { xss: 0, ..query };
    assert_eq!(guest.host.take_accesses(), [Access::Cpuid(0, query)]);
}

#[test]
fn special_registers_come_in_halves() {
    let mut guest = TestGuest::new();
    let rcx = Some(u64::from(SCRATCH_REGISTER.0) | 0xffff_ffff << 32);
    let write = SaveArea {
        rcx,
        rax: Some(0x1111_1111_2222_2222),
        rdx: Some(0x3333_3333_4444_4444),
        ..SaveArea::request(ExitCode::MSR.0, 1, 0)
    };
    guest.outputs(write, NOTHING).unwrap();
    assert_eq!(guest.host.msrs[&SCRATCH_REGISTER.0], 0x4444_4444_2222_2222);
    let outputs = guest.outputs(SaveArea { rcx, ..plain(ExitCode::MSR) }, RAX_RDX).unwrap();
    assert_eq!((outputs.rax, outputs.rdx), (0x2222_2222, 0x4444_4444));
}

#[test]
fn unknown_special_registers_end_in_general_protection() {
    let mut guest = TestGuest::new();
    let read = SaveArea { rcx: Some(0xdead), ..plain(ExitCode::MSR) };
    assert_eq!(guest.outputs(read, NOTHING), Err(PROTECTION));
    let write = SaveArea { rax: Some(0), rdx: Some(0), exit_info_1: Some(1), ..read };
    assert_eq!(guest.outputs(write, NOTHING), Err(PROTECTION));
    let neither = SaveArea { exit_info_1: Some(2), ..write };
    assert_eq!(guest.outputs(neither, NOTHING), Err(INVALID));
    let count = guest.server.counts().count(EventKind::Page(ExitCode::MSR));
    assert_eq!(count, Count { requests: 3, refused: 3 });
}

#[test]
fn time_and_counters() {
    let mut guest = TestGuest::new();
    let outputs = guest.outputs(plain(ExitCode::RDTSC), RAX_RDX).unwrap();
    assert_eq!((outputs.rax, outputs.rdx), (0x2345_6780, 1));
    let asked = RAX_RDX | ValidFields::RCX;
    let outputs = guest.outputs(plain(ExitCode::RDTSCP), asked).unwrap();
    assert_eq!((outputs.rax, outputs.rdx, outputs.rcx), (0x2345_6780, 1, 7));
    let rdpmc = |rcx| SaveArea { rcx: Some(rcx), ..plain(ExitCode::RDPMC) };
    let outputs = guest.outputs(rdpmc(5), RAX_RDX).unwrap();
    assert_eq!((outputs.rax, outputs.rdx), (5, 0xff));
    assert_eq!(guest.outputs(rdpmc(6), NOTHING), Err(PROTECTION));
    guest.host.msrs.remove(&Msr::TSC_AUX.0);
    assert_eq!(guest.outputs(plain(ExitCode::RDTSCP), NOTHING), Err(PROTECTION));
}

#[test]
fn instructions_without_an_effect() {
    let mut guest = TestGuest::new();
    let registers =
        SaveArea { rax: Some(1), rcx: Some(2), rdx: Some(3), ..plain(ExitCode::MONITOR) };
    for code in [ExitCode::INVD, ExitCode::WBINVD, ExitCode::MONITOR, ExitCode::MWAIT] {
        let request = SaveArea { exit_code: Some(code.0), ..registers };
        guest.outputs(request, NOTHING).unwrap();
    }
    assert_eq!(guest.host.take_accesses(), []);
}

#[test]
fn dr7_is_what_was_written() {
    let mut guest = TestGuest::new();
    let read = plain(ExitCode::DR7_READ);
    assert_eq!(guest.outputs(read, ValidFields::RAX).unwrap().rax, 0x400);
    let write = SaveArea { rax: Some(0x455), ..plain(ExitCode::DR7_WRITE) };
    guest.outputs(write, NOTHING).unwrap();
    assert_eq!(guest.outputs(read, ValidFields::RAX).unwrap().rax, 0x455);
}

#[test]
fn hypercalls_get_the_registers_that_are_given() {
    let mut guest = TestGuest::new();
    let request = SaveArea { rax: Some(9), cpl: Some(3), rbx: Some(1), ..plain(ExitCode::VMMCALL) };
    assert_eq!(guest.outputs(request, ValidFields::RAX).unwrap().rax, !9);
    let call = Hypercall { cpl: 3, rax: 9, rbx: Some(1), rcx: None, rdx: None, rsi: None };
    assert_eq!(guest.host.take_accesses(), [Access::Hypercall(0, call)]);
}

#[test]
fn an_nmi_is_completed() {
    let mut guest = TestGuest::new();
    guest.outputs(plain(ExitCode::NMI_COMPLETE), NOTHING).unwrap();
    assert_eq!(guest.host.take_accesses(), [Access::NmiCompleted(0)]);
}

#[test]
fn the_jump_table_address_is_kept() {
    let mut guest = TestGuest::new();
    let get = SaveArea::request(ExitCode::AP_JUMP_TABLE.0, ApJumpTableAction::Get.encode(), 0);
    let asked = ValidFields::EXIT_INFO_2;
    assert_eq!(guest.outputs(get, asked).unwrap().exit_info_2, 0);
    let set = SaveArea::request(ExitCode::AP_JUMP_TABLE.0, ApJumpTableAction::Set.encode(), 0x9000);
    guest.outputs(set, NOTHING).unwrap();
    assert_eq!(guest.outputs(get, asked).unwrap().exit_info_2, 0x9000);
    let other = SaveArea::request(ExitCode::AP_JUMP_TABLE.0, 2, 0);
    assert_eq!(guest.outputs(other, NOTHING), Err(INVALID));
}

#[test]
fn features_are_told_by_the_page_too() {
    let mut guest = TestGuest::new();
    let request = plain(ExitCode::HYPERVISOR_FEATURES);
    let outputs = guest.outputs(request, ValidFields::EXIT_INFO_2).unwrap();
    assert_eq!(outputs.exit_info_2, Configuration::SERVED.bits());
}

#[test]
fn a_guest_ends_itself_by_the_page() {
    let mut guest = TestGuest::new();
    let reason = TerminationReason::SNP_FEATURES;
    guest.prepare(&SaveArea::request(ExitCode::TERMINATION_REQUEST.0, reason.exit_info_1(), 9));
    assert_eq!(guest.exit_by_page().next, Next::Stop(Stop::Terminated(reason)));
    let request = SaveArea::request(ExitCode::TERMINATION_REQUEST.0, 0x1000, 0);
    assert_eq!(guest.outputs(request, NOTHING), Err(INVALID));
}

#[test]
fn an_exit_that_the_guest_cannot_handle_ends_it() {
    let mut guest = TestGuest::new();
    guest.prepare(&SaveArea::request(ExitCode::UNSUPPORTED_EVENT.0, 0x404, 5));
    let stop = Stop::UnsupportedExit { code: 0x404, detail: 5 };
    assert_eq!(guest.exit_by_page().next, Next::Stop(stop));
}
