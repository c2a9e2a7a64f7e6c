//! Calls that there are not, and bytes and bits that are reserved.

use abi_svsm::core_protocol::{
    self, CoreCall, CoreCallNumber, ProtocolQuery, ProtocolVersions, VtomRequest,
};
use abi_svsm::{CallId, CallRegisters, Protocol, ResultCode, attestation};
use alloc::format;

use crate::bench::Bench;
use crate::checks::Check;
use crate::verdict::{Verdict, expect};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "calls/query-protocol",
        source: "SVSM 58019 §6.7",
        hardware: "protocols 0 and 1 are there in version 1; other versions and protocols are not",
        run: query,
    },
    Check {
        name: "calls/unknown-protocols",
        source: "SVSM 58019 §5, table 3",
        hardware: "a call of a protocol that there is not is refused as such",
        run: unknown_protocols,
    },
    Check {
        name: "calls/unknown-calls",
        source: "SVSM 58019 §5, table 3",
        hardware: "a call that the protocol has not is refused as such",
        run: unknown_calls,
    },
    Check {
        name: "calls/none-pending",
        source: "SVSM 58019 §4",
        hardware: "without a pending call the guest goes on with all registers as they were",
        run: none_pending,
    },
    Check {
        name: "calls/reserved-pending",
        source: "SVSM 58019 §4; which result, from memory",
        hardware: "a pending byte that is neither 0 nor 1 is an invalid format",
        run: reserved_pending,
    },
    Check {
        name: "calls/virtual-top-of-memory",
        source: "SVSM 58019 §6.8",
        hardware: "there is no virtual top of memory: to set one is an invalid request, with \
                   reserved bits an invalid parameter",
        run: virtual_top_of_memory,
    },
    Check {
        name: "calls/other-memory-of-the-calling-area",
        source: "SVSM 58019 §4",
        hardware: "a call changes no more of the calling area than its first bytes",
        run: calling_area_kept,
    },
];

/// A call of a protocol by number, with an address in RCX.
pub(super) fn by_number(protocol: Protocol, call: u32, rcx: u64) -> CallRegisters {
    let rax = CallId { protocol, call }.encode();
    CallRegisters { rax, rcx, rdx: 0, r8: 0, r9: 0 }
}

/// A call of the core protocol by number, with an address in RCX.
pub(super) fn core(call: CoreCallNumber, rcx: u64) -> CallRegisters {
    by_number(Protocol::CORE, call.0, rcx)
}

/// The call that asks for a version of a protocol.
pub(super) fn query_for(protocol: Protocol, version: u32) -> CallRegisters {
    CoreCall::QueryProtocol(ProtocolQuery { protocol, version }).encode()
}

fn query(bench: &mut Bench) -> Verdict {
    for (protocol, version) in
        [(Protocol::CORE, core_protocol::VERSION), (Protocol::ATTESTATION, attestation::VERSION)]
    {
        let got = bench.succeeds("result", query_for(protocol, version))?;
        let versions = ProtocolVersions::decode_answer(got.rcx);
        expect("versions", Some(ProtocolVersions::only(version)), versions)?;
        for other in [0, version + 1, u32::MAX] {
            let got = bench.succeeds("result", query_for(protocol, other))?;
            expect("versions", None, ProtocolVersions::decode_answer(got.rcx))?;
        }
    }
    for protocol in [5, 0x7fff_ffff, u32::MAX].map(Protocol) {
        let got = bench.succeeds("result", query_for(protocol, 1))?;
        expect("versions", None, ProtocolVersions::decode_answer(got.rcx))?;
    }
    Ok(())
}

fn unknown_protocols(bench: &mut Bench) -> Verdict {
    for protocol in [5, 0x100, 0x7fff_ffff, u32::MAX].map(Protocol) {
        for call in [0, 1, 6, u32::MAX] {
            let registers = by_number(protocol, call, u64::MAX);
            bench.refused("registers", registers, ResultCode::UNSUPPORTED_PROTOCOL)?;
        }
    }
    Ok(())
}

fn unknown_calls(bench: &mut Bench) -> Verdict {
    for (protocol, first) in [(Protocol::CORE, 8), (Protocol::ATTESTATION, 2)] {
        for call in [first, first + 1, 0x100, 0x8000_0000, u32::MAX] {
            let registers = by_number(protocol, call, u64::MAX);
            bench.refused("registers", registers, ResultCode::UNSUPPORTED_CALL)?;
        }
    }
    Ok(())
}

fn none_pending(bench: &mut Bench) -> Verdict {
    for registers in [query_for(Protocol::CORE, 1), by_number(Protocol(9), 9, 9)] {
        let got = bench.caller().call_with(&bench.guest, 0, registers)?;
        expect("registers", registers, got)?;
    }
    Ok(())
}

fn reserved_pending(bench: &mut Bench) -> Verdict {
    let registers = query_for(Protocol::CORE, 1);
    for pending in [2, 0x10, 0x80, 0xff] {
        let got = bench.caller().call_with(&bench.guest, pending, registers)?;
        let expected = CallRegisters { rax: ResultCode::INVALID_FORMAT.rax(), ..registers };
        expect(&format!("registers, pending byte {pending}"), expected, got)?;
    }
    Ok(())
}

fn virtual_top_of_memory(bench: &mut Bench) -> Verdict {
    let query = CoreCall::ConfigureVtom(VtomRequest::Query).encode();
    expect("support", 0, bench.succeeds("result", query)?.rcx)?;
    let configure = |rcx| core(CoreCallNumber::CONFIGURE_VTOM, rcx);
    for rcx in [0, 1 << 1, 0x1f << 1 & 0x1e, 1 << 1 | 1 << 40, 0x1e | !0xfff] {
        bench.refused("registers", configure(rcx), ResultCode::INVALID_REQUEST)?;
    }
    for rcx in [1 | 1 << 1, 1 << 5, 0xfe0, 1 << 40, u64::MAX] {
        bench.refused("registers", configure(rcx), ResultCode::INVALID_PARAMETER)?;
    }
    Ok(())
}

fn calling_area_kept(bench: &mut Bench) -> Verdict {
    let area = bench.caller().area(0);
    for offset in (8..4096).step_by(8) {
        area.write(offset, !(offset as u64));
    }
    bench.succeeds("result", query_for(Protocol::CORE, 1))?;
    for offset in (8..4096).step_by(8) {
        expect("word of the calling area", !(offset as u64), area.read(offset))?;
    }
    Ok(())
}
