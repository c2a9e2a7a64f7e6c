//! Attestation reports and certificate tables from a host: reading and showing
//! them does not panic.
#![no_main]

use abi_snp::{AttestationReport, CertificateTable};
use libfuzzer_sys::fuzz_target;
use zerocopy::FromBytes;

fuzz_target!(|input: &[u8]| {
    if let Ok((report, _)) = AttestationReport::read_from_prefix(input) {
        let _ = (report.processor(), report.mitigations(), report.tcb_layout());
        assert!(!report.to_string().is_empty());
    }
    if let Ok(table) = CertificateTable::parse(input) {
        for certificate in table.certificates() {
            assert!(table.find(certificate.kind).is_some());
        }
    }
});
