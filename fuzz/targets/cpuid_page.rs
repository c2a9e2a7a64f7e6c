//! CPUID pages: what a checked page offers fits together, whoever asks.
#![no_main]

use abi_snp::CpuidPage;
use cpuid_table::{Answer, Asker, CpuidTable};
use libfuzzer_sys::fuzz_target;
use zerocopy::FromBytes;

const AVX: u32 = 1 << 28;

fuzz_target!(|input: &[u8]| {
    let mut bytes = [0; 0x1000];
    for (to, from) in bytes.iter_mut().zip(input) {
        *to = *from;
    }
    let Ok(page) = CpuidPage::read_from_bytes(&bytes) else { return };
    let checked = CpuidTable::check(&page, &mut |finding| drop(finding.to_string()));
    let table = match checked {
        Ok(table) => table,
        Err(refusal) => return drop(refusal.to_string()),
    };
    assert!((32..=51).contains(&table.c_bit_position()));
    assert!(table.physical_address_bits() <= table.c_bit_position());
    let (user, supervisor) = (table.supported_xcr0(), table.supported_xss());
    assert_eq!(user & supervisor, 0);
    let asker = Asker { xcr0: user, xss: supervisor, cr4: abi_x86::Cr4::all(), apic_id: 3 };
    let general = table.query(0xd, 0, &asker);
    assert_eq!(general.ebx, general.ecx, "the area for all components is the greatest");
    assert!(general.ecx <= 0x1000);
    for number in 2..64 {
        let offered = (user | supervisor) >> number & 1 != 0;
        assert_eq!(table.query(0xd, number, &asker) != Answer::ZERO, offered);
    }
    assert!(table.query(1, 0, &asker).ecx & AVX == 0 || user & 4 != 0, "AVX without its state");
    for entry in page.entries().unwrap_or_default() {
        let _ = table.query(entry.eax_in, entry.ecx_in, &asker);
    }
});
