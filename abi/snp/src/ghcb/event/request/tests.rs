//! Which requests are complete.

extern crate std;

use std::string::ToString;

use proptest::prelude::*;

use super::*;

/// A request with exactly the registers in `fields`.
fn request(code: ExitCode, exit_info_1: u64, fields: ValidFields) -> SaveArea {
    let given = |field, value: u64| fields.contains(field).then_some(value);
    SaveArea {
        cpl: given(ValidFields::CPL, 0).map(|cpl| cpl as u8),
        xss: given(ValidFields::XSS, 0),
        rax: given(ValidFields::RAX, 0xd),
        rcx: given(ValidFields::RCX, 0),
        rdx: given(ValidFields::RDX, 0),
        rbx: given(ValidFields::RBX, 0),
        scratch: given(ValidFields::SCRATCH, 0x1800),
        xcr0: given(ValidFields::XCR0, 7),
        ..SaveArea::request(code.0, exit_info_1, 0)
    }
}

const NONE: ValidFields = ValidFields::empty();
const RAX: ValidFields = ValidFields::RAX;
const RBX: ValidFields = ValidFields::RBX;
const RCX: ValidFields = ValidFields::RCX;
const RDX: ValidFields = ValidFields::RDX;
const SCRATCH: ValidFields = ValidFields::SCRATCH;

/// Events, their first word, and what they need; leaf 0xd in RAX.
fn events() -> [(ExitCode, u64, ValidFields); 41] {
    [
        (ExitCode::DR7_READ, 0, NONE),
        (ExitCode::DR7_WRITE, 0, RAX),
        (ExitCode::RDTSC, 0, NONE),
        (ExitCode::RDPMC, 0, RCX),
        (ExitCode::CPUID, 0, RAX | RCX | ValidFields::XCR0),
        (ExitCode::INVD, 0, NONE),
        (ExitCode::PORT_IO, 0x03f8_0010, RAX),
        (ExitCode::PORT_IO, 0x03f8_0011, NONE),
        (ExitCode::PORT_IO, 0x03f8_0014, SCRATCH),
        (ExitCode::PORT_IO, 0x03f8_0015, SCRATCH),
        (ExitCode::MSR, 0, RCX),
        (ExitCode::MSR, 1, RAX | RCX | RDX),
        (ExitCode::VMMCALL, 0, RAX | ValidFields::CPL),
        (ExitCode::RDTSCP, 0, NONE),
        (ExitCode::WBINVD, 0, NONE),
        (ExitCode::MONITOR, 0, RAX | RCX | RDX),
        (ExitCode::MWAIT, 0, RAX | RCX),
        (ExitCode::MMIO_READ, 0xfee0_0000, SCRATCH),
        (ExitCode::MMIO_WRITE, 0xfee0_0000, SCRATCH),
        (ExitCode::NMI_COMPLETE, 0, NONE),
        (ExitCode::AP_RESET_HOLD, 0, NONE),
        (ExitCode::AP_JUMP_TABLE, 0, NONE),
        (ExitCode::AP_JUMP_TABLE, 1, NONE),
        (ExitCode::SNP_PAGE_STATE_CHANGE, 0, SCRATCH),
        (ExitCode::SNP_GUEST_REQUEST, 0x1000, NONE),
        (ExitCode::SNP_EXTENDED_GUEST_REQUEST, 0x1000, RAX.union(RBX)),
        (ExitCode::SNP_AP_CREATION, 0, RAX),
        (ExitCode::SNP_AP_CREATION, 1, RAX),
        (ExitCode::SNP_AP_CREATION, 2, NONE),
        (ExitCode::HV_DOORBELL_PAGE, 1, NONE),
        (ExitCode::HV_IPI, 0xc_40f0, NONE),
        (ExitCode::HV_TIMER, 0, NONE),
        (ExitCode::GET_APIC_IDS, 0x1000, RAX),
        (ExitCode::SNP_RUN_VMPL, 2, NONE),
        (ExitCode::SECURE_AVIC, 0, RAX.union(RBX)),
        (ExitCode::SECURE_AVIC, 1, RAX),
        (ExitCode::HYPERVISOR_FEATURES, 0, NONE),
        (ExitCode::TERMINATION_REQUEST, 0x031, NONE),
        (ExitCode::UNSUPPORTED_EVENT, 0x404, NONE),
        (ExitCode::UNSUPPORTED_EVENT, 0x76, NONE),
        (ExitCode::SNP_RUN_VMPL, 0, NONE),
    ]
}

#[test]
fn each_event_needs_these_fields_and_no_others() {
    for (code, exit_info_1, needed) in events() {
        let expected = Ok(NaeRequest { code, exit_info_1, exit_info_2: 0 });
        let exact = request(code, exit_info_1, needed);
        assert_eq!(NaeRequest::check(&exact), expected, "{code} {exit_info_1:#x}");
        for field in needed {
            let lacking = request(code, exit_info_1, needed - field);
            let error = Err(MalformedInput::MISSING_INPUT);
            // Without RAX, CPUID is not known to be about leaf 0xd; RAX itself
            // is then missing.
            assert_eq!(NaeRequest::check(&lacking), error, "{code} without {field}");
        }
    }
}

#[test]
fn only_leaf_0xd_needs_xcr0() {
    let leaf = |rax| SaveArea { rax: Some(rax), rcx: Some(0), ..SaveArea::request(0x72, 0, 0) };
    assert!(NaeRequest::check(&leaf(7)).is_ok());
    assert_eq!(NaeRequest::check(&leaf(0xd)), Err(MalformedInput::MISSING_INPUT));
    // The instruction looks at EAX only.
    assert_eq!(NaeRequest::check(&leaf(1 << 32 | 0xd)), Err(MalformedInput::MISSING_INPUT));
}

#[test]
fn code_and_both_words_are_always_needed() {
    let good = SaveArea::request(ExitCode::RDTSC.0, 0, 0);
    assert!(NaeRequest::check(&good).is_ok());
    for bad in [
        SaveArea { exit_code: None, ..good },
        SaveArea { exit_info_1: None, ..good },
        SaveArea { exit_info_2: None, ..good },
    ] {
        assert_eq!(NaeRequest::check(&bad), Err(MalformedInput::MISSING_INPUT));
    }
}

#[test]
fn malformed_words_and_unknown_events_are_told() {
    let all = ValidFields::all();
    for (code, exit_info_1) in [
        (ExitCode::PORT_IO, 0x03f8_0000),
        (ExitCode::MSR, 2),
        (ExitCode::SNP_AP_CREATION, 3),
        (ExitCode::SECURE_AVIC, 2),
    ] {
        let error = NaeRequest::check(&request(code, exit_info_1, all));
        assert_eq!(error, Err(MalformedInput::INVALID_INPUT), "{code}");
    }
    for code in [
        ExitCode(0),
        ExitCode(0x78),
        ExitCode::NESTED_PAGE_FAULT,
        ExitCode::PAGE_NOT_VALIDATED,
        ExitCode(0x8000_0019),
        ExitCode(1 << 32 | 0x72),
    ] {
        let error = NaeRequest::check(&request(code, 0, all)).unwrap_err();
        assert_eq!(error.to_string(), "invalid event", "{code}");
    }
}

proptest! {
    #[test]
    fn any_request_is_judged(
        code in prop_oneof![0..0x90_u64, 0x8000_0000..0x8000_0020_u64, any::<u64>()],
        exit_info_1 in prop_oneof![0..0x1000_u64, any::<u64>()],
        fields in any::<u128>(),
    ) {
        let fields = ValidFields::from_bits_truncate(fields);
        let request = request(ExitCode(code), exit_info_1, fields);
        if let Ok(accepted) = NaeRequest::check(&request) {
            prop_assert!(accepted.code.name().is_some());
        }
    }
}
