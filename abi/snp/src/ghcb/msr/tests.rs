//! The MSR protocol: fields at their places, round trips, and what a lying
//! hypervisor cannot sell as an answer.

extern crate std;

use std::string::ToString;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::ghcb::{GuestFrame, HypervisorFeatures, ReasonSet, TerminationReason};
use crate::vmpl::Vmpl;

fn frame(gpa: u64) -> GuestFrame {
    GuestFrame::at(gpa).unwrap()
}

/// Requests with the values that the specification gives them.
fn requests() -> Vec<(MsrRequest, u64)> {
    let terminate = |set, code| {
        MsrRequest::Terminate(TerminationReason::new(ReasonSet::new(set).unwrap(), code))
    };
    std::vec![
        (MsrRequest::Ghcb(frame(0x1234_5000)), 0x1234_5000),
        (MsrRequest::SevInformation, 0x002),
        (
            MsrRequest::Cpuid { function: 0x8000_001f, register: CpuidRegister::Ebx },
            0x8000_001f_4000_0004,
        ),
        (MsrRequest::Cpuid { function: 0, register: CpuidRegister::Edx }, 0xc000_0004),
        (MsrRequest::ApResetHold, 0x006),
        (MsrRequest::PreferredGhcb, 0x010),
        (MsrRequest::RegisterGhcb(frame(0x1234_5000)), 0x1234_5012),
        (
            MsrRequest::PageState {
                frame: frame(0xf_ffff_ffff_f000),
                assignment: PageAssignment::Private,
            },
            0x001f_ffff_ffff_f014,
        ),
        (
            MsrRequest::PageState { frame: frame(0x5000), assignment: PageAssignment::Shared },
            0x0020_0000_0000_5014,
        ),
        (MsrRequest::RunVmpl(Vmpl::Vmpl2), 0x0000_0002_0000_0016),
        (MsrRequest::HypervisorFeatures, 0x080),
        (terminate(0, 1), 0x01_0100),
        (terminate(2, 0), 0x00_2100),
        (terminate(2, 0x8e), 0x8e_2100),
        (terminate(2, 0xff), 0xff_2100),
    ]
}

/// Responses with the values that the specification gives them.
fn responses() -> Vec<(MsrResponse, u64)> {
    std::vec![
        (
            MsrResponse::SevInformation(SevInformation {
                min_version: 1,
                max_version: 2,
                c_bit: 51,
            }),
            0x0002_0001_3300_0001,
        ),
        (
            MsrResponse::Cpuid { register: CpuidRegister::Ecx, value: 0x1234_5678 },
            0x1234_5678_8000_0005,
        ),
        (MsrResponse::ApResetHold(ResetHoldEnd::Other), 0x0007),
        (MsrResponse::ApResetHold(ResetHoldEnd::StartUp), 0x1007),
        (MsrResponse::PreferredGhcb(Some(frame(0x7000))), 0x7011),
        (MsrResponse::PreferredGhcb(None), 0xffff_ffff_ffff_f011),
        (MsrResponse::RegisterGhcb(Some(frame(0x7000))), 0x7013),
        (MsrResponse::RegisterGhcb(None), 0xffff_ffff_ffff_f013),
        (MsrResponse::PageState { error: 0 }, 0x015),
        (MsrResponse::PageState { error: 0x8000_0000 }, 0x8000_0000_0000_0015),
        (MsrResponse::RunVmpl { error: 1 }, 0x0000_0001_0000_0017),
        (MsrResponse::HypervisorFeatures(HypervisorFeatures::all()), 0x0003_f081,),
    ]
}

#[test]
fn requests_are_where_the_specification_puts_them() {
    for (request, value) in requests() {
        assert_eq!(request.encode(), value, "{request:?}");
        assert_eq!(MsrRequest::decode(value), Ok(request));
    }
}

#[test]
fn responses_are_where_the_specification_puts_them() {
    for (response, value) in responses() {
        assert_eq!(response.encode(), value, "{response:?}");
        assert_eq!(MsrResponse::decode(value), Ok(response));
    }
}

#[test]
fn requests_are_no_responses_and_the_other_way_round() {
    for (request, value) in requests() {
        let error = MsrDecodeError::NotAResponse(request.operation());
        assert_eq!(MsrResponse::decode(value), Err(error));
    }
    for (response, value) in responses() {
        let error = MsrDecodeError::NotARequest(response.operation());
        assert_eq!(MsrRequest::decode(value), Err(error));
    }
}

#[test]
fn reserved_bits_are_refused() {
    let reserved = |operation, bits| MsrDecodeError::ReservedBits { operation, bits };
    for (value, operation, bits) in [
        (0x1002, MsrOperation::SEV_INFORMATION_REQUEST, 1 << 12),
        (1 << 29 | 0x004, MsrOperation::CPUID_REQUEST, 1 << 29),
        (1 << 63 | 0x006, MsrOperation::AP_RESET_HOLD_REQUEST, 1 << 63),
        (0x1010, MsrOperation::PREFERRED_GHCB_REQUEST, 1 << 12),
        (1 << 56 | 1 << 52 | 0x014, MsrOperation::PAGE_STATE_REQUEST, 1 << 56),
        (1 << 40 | 0x016, MsrOperation::RUN_VMPL_REQUEST, 1 << 40),
        (1 << 31 | 0x016, MsrOperation::RUN_VMPL_REQUEST, 1 << 31),
        (0x1080, MsrOperation::HYPERVISOR_FEATURES_REQUEST, 1 << 12),
        (1 << 24 | 0x100, MsrOperation::TERMINATION_REQUEST, 1 << 24),
    ] {
        assert_eq!(MsrRequest::decode(value), Err(reserved(operation, bits)));
    }
    for (value, operation, bits) in [
        (1 << 23 | 0x001, MsrOperation::SEV_INFORMATION_RESPONSE, 1 << 23),
        (1 << 12 | 0x005, MsrOperation::CPUID_RESPONSE, 1 << 12),
        (1 << 31 | 0x015, MsrOperation::PAGE_STATE_RESPONSE, 1 << 31),
        (1 << 12 | 0x017, MsrOperation::RUN_VMPL_RESPONSE, 1 << 12),
    ] {
        assert_eq!(MsrResponse::decode(value), Err(reserved(operation, bits)));
    }
}

#[test]
fn fields_out_of_range_are_refused() {
    for operation in [MsrOperation::GHCB, MsrOperation::REGISTER_GHCB_REQUEST] {
        let error = MsrDecodeError::FrameNumber { operation, number: 1 << 40 };
        assert_eq!(MsrRequest::decode(1 << 52 | operation.bits()), Err(error));
    }
    for operation in [MsrOperation::PREFERRED_GHCB_RESPONSE, MsrOperation::REGISTER_GHCB_RESPONSE] {
        let error = MsrDecodeError::FrameNumber { operation, number: 0xf_ffff_ffff_fffe };
        assert_eq!(MsrResponse::decode(0xffff_ffff_ffff_e000 | operation.bits()), Err(error));
    }
    for assignment in [0, 3, 15] {
        let value = u64::from(assignment) << 52 | 0x014;
        assert_eq!(MsrRequest::decode(value), Err(MsrDecodeError::PageAssignment(assignment)));
    }
    for vmpl in [4, 255] {
        let value = u64::from(vmpl) << 32 | 0x016;
        assert_eq!(MsrRequest::decode(value), Err(MsrDecodeError::Vmpl(vmpl)));
    }
    for unknown in [0x003, 0x018, 0xf00, 0xfff] {
        let operation = MsrOperation(unknown);
        let value = u64::from(unknown);
        assert_eq!(MsrRequest::decode(value), Err(MsrDecodeError::NotARequest(operation)));
        assert_eq!(MsrResponse::decode(value), Err(MsrDecodeError::NotAResponse(operation)));
    }
}

#[test]
fn versions_in_common() {
    let speaks = |min_version, max_version| SevInformation { min_version, max_version, c_bit: 51 };
    for (hypervisor, common) in [
        (speaks(1, 2), Some(2)),
        (speaks(2, 2), Some(2)),
        (speaks(0, u16::MAX), Some(2)),
        (speaks(1, 1), None),
        (speaks(3, 5), None),
        (speaks(3, 1), None),
        (speaks(u16::MAX, 2), None),
    ] {
        assert_eq!(hypervisor.newest_common_version(2..=2), common, "{hypervisor:?}");
    }
    assert_eq!(speaks(1, 1).newest_common_version(1..=2), Some(1));
}

fn fault<C: MsrCall>(call: &C, value: u64) -> Option<MsrCallFault> {
    call.answer(value).err().map(|error| error.fault)
}

#[test]
fn right_answers_are_taken() {
    let cpuid = AskCpuid { function: 7, register: CpuidRegister::Ecx };
    assert_eq!(cpuid.answer(0x1234_5678_8000_0005), Ok(0x1234_5678));
    let information = SevInformation { min_version: 1, max_version: 2, c_bit: 51 };
    assert_eq!(AskSevInformation.answer(0x0002_0001_3300_0001), Ok(information));
    assert_eq!(HoldApReset.answer(0x1007), Ok(ResetHoldEnd::StartUp));
    assert_eq!(AskPreferredGhcb.answer(u64::MAX ^ 0xfee), Ok(None));
    assert_eq!(RegisterGhcb(frame(0x7000)).answer(0x7013), Ok(()));
    let page = AssignPage { frame: frame(0x7000), assignment: PageAssignment::Shared };
    assert_eq!(page.answer(0x015), Ok(()));
    assert_eq!(RunVmpl(Vmpl::Vmpl2).answer(0x017), Ok(()));
    assert_eq!(AskHypervisorFeatures.answer(0x1081), Ok(HypervisorFeatures::SNP));
}

#[test]
fn refusals_are_told() {
    assert_eq!(
        fault(&RegisterGhcb(frame(0x7000)), 0xffff_ffff_ffff_f013),
        Some(MsrCallFault::Refused)
    );
    let page = AssignPage { frame: frame(0x7000), assignment: PageAssignment::Shared };
    assert_eq!(fault(&page, 0x8000_0000_0000_0015), Some(MsrCallFault::RefusedWith(0x8000_0000)));
    assert_eq!(fault(&RunVmpl(Vmpl::Vmpl2), 0x1_0000_0017), Some(MsrCallFault::RefusedWith(1)));
}

#[test]
fn answers_about_something_else_are_told() {
    let cpuid = AskCpuid { function: 7, register: CpuidRegister::Eax };
    assert_eq!(fault(&cpuid, 0x1234_5678_8000_0005), Some(MsrCallFault::OtherSubject));
    assert_eq!(fault(&RegisterGhcb(frame(0x7000)), 0x8013), Some(MsrCallFault::OtherSubject));
}

/// A register that still holds the request, an answer to something else and
/// garbage are no answer to any call.
fn refuses_what_is_no_answer<C: MsrCall>(call: &C) {
    let request = call.request();
    assert_eq!(fault(call, request.encode()), Some(MsrCallFault::Unanswered));
    let mut answers = 0;
    for (response, value) in responses() {
        match fault(call, value) {
            Some(MsrCallFault::OtherOperation(operation)) => {
                assert_eq!(operation, response.operation());
            }
            _ => answers += 1,
        }
    }
    assert!((1..=2).contains(&answers), "{request:?}");
    for value in [0, 0xfff, u64::MAX] {
        assert!(matches!(fault(call, value), Some(MsrCallFault::Malformed(_))), "{request:?}");
    }
}

#[test]
fn stale_and_foreign_values_are_no_answers() {
    refuses_what_is_no_answer(&AskSevInformation);
    refuses_what_is_no_answer(&AskCpuid { function: 7, register: CpuidRegister::Eax });
    refuses_what_is_no_answer(&HoldApReset);
    refuses_what_is_no_answer(&AskPreferredGhcb);
    refuses_what_is_no_answer(&RegisterGhcb(frame(0x7000)));
    refuses_what_is_no_answer(&AssignPage {
        frame: frame(0x7000),
        assignment: PageAssignment::Private,
    });
    refuses_what_is_no_answer(&RunVmpl(Vmpl::Vmpl0));
    refuses_what_is_no_answer(&AskHypervisorFeatures);
}

#[test]
fn errors_name_the_field() {
    let error = AskSevInformation.answer(0x10_0001).unwrap_err();
    assert_eq!(
        error.to_string(),
        "hypervisor: SEV information request got 0x100001: \
         GHCB MSR: SEV information response has reserved bits 0x100000 set"
    );
    let error = RegisterGhcb(frame(0x7000)).answer(0x7012).unwrap_err();
    assert_eq!(
        error.to_string(),
        "hypervisor: GHCB registration request got 0x7012: not answered at all"
    );
    assert_eq!(
        MsrRequest::decode(0x003).unwrap_err().to_string(),
        "GHCB MSR: unknown operation (0x003) is no request"
    );
}

/// Values whose operation is often one that exists.
fn register_values() -> impl Strategy<Value = u64> {
    let info = prop_oneof![0..0x18_u64, 0x080..0x082_u64, Just(0x100), 0..0x1000_u64];
    let data = prop_oneof![
        any::<u64>(),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (any::<u32>(), 0..4_u64).prop_map(|(high, low)| u64::from(high) << 32 | low << 30),
    ];
    (info, data).prop_map(|(info, data)| data & !0xfff | info)
}

proptest! {
    #[test]
    fn whatever_decodes_as_a_request_is_its_encoding(value in register_values()) {
        if let Ok(request) = MsrRequest::decode(value) {
            prop_assert_eq!(request.encode(), value);
        }
    }

    #[test]
    fn whatever_decodes_as_a_response_encodes_to_the_same_response(value in register_values()) {
        if let Ok(response) = MsrResponse::decode(value) {
            let encoded = response.encode();
            prop_assert_eq!(MsrResponse::decode(encoded), Ok(response));
            prop_assert!(encoded == value || matches!(response, MsrResponse::ApResetHold(_)));
        }
    }

    #[test]
    fn no_value_is_both(value in register_values()) {
        prop_assert!(MsrRequest::decode(value).is_err() || MsrResponse::decode(value).is_err());
    }

    #[test]
    fn one_kind_of_call_at_most_takes_a_value(value in register_values()) {
        let cpuid = CpuidRegister::ALL
            .iter()
            .any(|register| AskCpuid { function: 0, register: *register }.answer(value).is_ok());
        let taken = [
            cpuid,
            AskSevInformation.answer(value).is_ok(),
            HoldApReset.answer(value).is_ok(),
            AskPreferredGhcb.answer(value).is_ok(),
            RegisterGhcb(frame(0x1000)).answer(value).is_ok(),
            AssignPage { frame: frame(0x1000), assignment: PageAssignment::Shared }
                .answer(value)
                .is_ok(),
            RunVmpl(Vmpl::Vmpl1).answer(value).is_ok(),
            AskHypervisorFeatures.answer(value).is_ok(),
        ];
        prop_assert!(taken.iter().filter(|taken| **taken).count() <= 1);
    }
}
