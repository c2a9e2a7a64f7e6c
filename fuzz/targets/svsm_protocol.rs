//! Calls of a guest to its SVSM: what decodes encodes to the same, for
//! registers, entries of lists, structures and tables.
#![no_main]

use abi_svsm::attestation::{
    AttestationCall, ManifestTable, ServicesRequest, SingleServiceRequest,
};
use abi_svsm::core_protocol::{CoreCall, DepositEntry, ListHeader, ValidationEntry};
use abi_svsm::{CallId, CallRegisters, ListAddress, ResultCode};
use libfuzzer_sys::fuzz_target;
use zerocopy::FromBytes;

fuzz_target!(|input: &[u8]| {
    if let Ok((words, _)) = <[u64; 5]>::read_from_prefix(input) {
        let [rax, rcx, rdx, r8, r9] = words;
        let registers = CallRegisters { rax, rcx, rdx, r8, r9 };
        assert_eq!(CallId::decode(rax).encode(), rax);
        assert_eq!(ResultCode::from_rax(rax).rax(), rax & 0xffff_ffff);
        if let Ok(call) = CoreCall::decode(&registers) {
            assert_eq!(CoreCall::decode(&call.encode()), Ok(call));
        }
        if let Ok(call) = AttestationCall::decode(&registers) {
            assert_eq!(AttestationCall::decode(&call.encode()), Ok(call));
        }
        if let Ok(entry) = ValidationEntry::decode(rcx) {
            assert_eq!(entry.encode(), rcx);
        }
        if let Ok(entry) = DepositEntry::decode(rcx) {
            assert_eq!(entry.encode(), rcx);
        }
    }
    if let (Ok((header, _)), Some(at)) = (ListHeader::read_from_prefix(input), ListAddress::at(8))
        && header.check(at.capacity()).is_ok()
    {
        assert!(header.next < header.entries && usize::from(header.entries) <= at.capacity());
    }
    if let Ok((request, _)) = ServicesRequest::read_from_prefix(input)
        && let Ok(request) = request.decode()
    {
        assert!(request.nonce.offset + request.nonce.length <= 4096);
    }
    if let Ok((request, _)) = SingleServiceRequest::read_from_prefix(input) {
        assert!(request.decode().is_err() || request.reserved == 0);
    }
    if let Ok(table) = ManifestTable::parse(input) {
        assert!(table.services().all(|(_, bytes)| bytes.len() <= input.len()));
    }
});
