//! Processors in the ACPI table of interrupt controllers.
//!
//! [ACPI 6.5 §5.2.12]: a header of 36 bytes, address and flags, then structures
//! that start with kind and length. Those of kinds 0 (local APIC) and 9 (local
//! x2APIC) are processors; the others are of no interest here.

use crate::processors::{Processor, ProcessorStatus, Processors, ProcessorsBuilder};
use crate::refusal::{Area, Refusal, Rule};

const SIGNATURE: [u8; 4] = *b"APIC";
/// Where the structures begin.
const STRUCTURES: usize = 44;

const LOCAL_APIC: u8 = 0;
const LOCAL_X2APIC: u8 = 9;

/// Flags of a processor: there, and possibly there later.
const ENABLED: u32 = 1 << 0;
const ONLINE_CAPABLE: u32 = 1 << 1;

/// Reads the table in `area`. `storage` takes the processors and bounds their
/// number.
///
/// # Errors
///
/// The first rule that does not hold.
pub fn madt_processors<'a>(
    area: &[u8],
    storage: &'a mut [Processor],
) -> Result<Processors<'a>, Refusal> {
    read(area, storage).map_err(|rule| rule.of(Area::Madt))
}

fn read<'a>(area: &[u8], storage: &'a mut [Processor]) -> Result<Processors<'a>, Rule> {
    let table = table(area)?;
    let mut processors = ProcessorsBuilder::new(storage);
    let mut offset = STRUCTURES;
    while let Some(rest) = table.get(offset..).filter(|rest| !rest.is_empty()) {
        let structure = structure(rest).ok_or(Rule::Structure(offset))?;
        if let Some((apic_id, flags)) = processor(structure).ok_or(Rule::Structure(offset))?
            && let Some(status) = status(flags)
        {
            processors.add(apic_id?, status)?;
        }
        offset += structure.len();
    }
    processors.finish(Area::Madt)
}

/// The table without what lies behind it in the area.
fn table(area: &[u8]) -> Result<&[u8], Rule> {
    let truncated = Rule::Truncated(area.len());
    let (signature, rest) = area.split_first_chunk().ok_or(truncated.clone())?;
    match *signature {
        SIGNATURE => {}
        [0, 0, 0, 0] => return Err(Rule::Empty),
        other => return Err(Rule::Signature(other)),
    }
    let length = u32::from_le_bytes(*rest.first_chunk().ok_or(truncated.clone())?) as usize;
    let table = area.get(..length).ok_or(truncated)?;
    if length < STRUCTURES {
        return Err(Rule::Structure(0));
    }
    match table.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) {
        0 => Ok(table),
        _ => Err(Rule::Checksum),
    }
}

/// The structure at the start of `rest`, at least its own kind and length.
fn structure(rest: &[u8]) -> Option<&[u8]> {
    let [_, length, ..] = *rest else { return None };
    rest.get(..length.into()).filter(|structure| structure.len() >= 2)
}

/// A processor's identifier, if it can be one, and its flags.
type Found = (Result<u32, Rule>, u32);

/// The processor that a structure describes, `Some(None)` for structures of
/// other kinds, `None` for one that is too short.
fn processor(structure: &[u8]) -> Option<Option<Found>> {
    let word = |offset: usize| {
        structure.get(offset..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    };
    Some(match *structure {
        [LOCAL_APIC, _, _, apic_id, ..] => {
            // Addresses all processors in xAPIC mode.
            let apic_id = match apic_id {
                u8::MAX => Err(Rule::ProcessorIdentifier(apic_id.into())),
                _ => Ok(apic_id.into()),
            };
            Some((apic_id, word(4)?))
        }
        [LOCAL_X2APIC, ..] => {
            // The last field is the processor's number for the ACPI namespace.
            let (apic_id, flags, _) = (word(4)?, word(8)?, word(12)?);
            Some((Ok(apic_id), flags))
        }
        [LOCAL_APIC, ..] => return None,
        _ => None,
    })
}

/// What becomes of a processor with these flags; `None` if it is not there and
/// never will be.
const fn status(flags: u32) -> Option<ProcessorStatus> {
    if flags & ENABLED != 0 {
        Some(ProcessorStatus::Enabled)
    } else if flags & ONLINE_CAPABLE != 0 {
        Some(ProcessorStatus::OnlineCapable)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// A table with these structures behind the header, sealed.
    fn table(structures: &[u8]) -> Vec<u8> {
        let mut table = std::vec![0; STRUCTURES];
        table[..4].copy_from_slice(&SIGNATURE);
        table.extend_from_slice(structures);
        let length = table.len() as u32;
        table[4..8].copy_from_slice(&length.to_le_bytes());
        seal(&mut table);
        table
    }

    fn seal(table: &mut [u8]) {
        table[9] = 0;
        table[9] = table.iter().fold(0, |sum: u8, byte| sum.wrapping_sub(*byte));
    }

    fn local(apic_id: u8, flags: u8) -> Vec<u8> {
        std::vec![0, 8, 77, apic_id, flags, 0, 0, 0]
    }

    fn x2(apic_id: u32, flags: u8) -> Vec<u8> {
        let mut structure = std::vec![9, 16, 0, 0];
        structure.extend_from_slice(&apic_id.to_le_bytes());
        structure.extend_from_slice(&[flags, 0, 0, 0, 1, 2, 3, 4]);
        structure
    }

    fn rule(area: &[u8]) -> Rule {
        let refusal = madt_processors(area, &mut [Processor::NONE; 4]).unwrap_err();
        assert_eq!(refusal.area, Area::Madt);
        refusal.rule
    }

    #[test]
    fn processors_of_both_kinds_are_found() {
        let io_apic = [1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0].to_vec();
        let structures =
            [x2(0x1234, 1), io_apic, local(3, 1), local(2, 0), local(1, 2), x2(0, 3)].concat();
        let mut area = table(&structures);
        // What follows in the area does not matter.
        area.extend_from_slice(&[0xff; 100]);
        let mut storage = [Processor::NONE; 4];
        let processors = madt_processors(&area, &mut storage).unwrap();
        assert!(processors.enabled().eq([0, 3, 0x1234]));
        let later = Processor { apic_id: 1, status: ProcessorStatus::OnlineCapable };
        assert_eq!(processors.all()[1], later);
        assert_eq!(processors.check_count(3), Ok(()));
        assert_eq!(
            processors.check_count(4).unwrap_err().rule,
            Rule::ProcessorsDiffer { listed: 3, stated: 4 }
        );
    }

    #[test]
    fn more_processors_than_a_page_has_room_for_are_found() {
        let structures: Vec<u8> = (0..600).rev().flat_map(|id| x2(id, 1)).collect();
        let area = table(&structures);
        assert!(area.len() > 2 * 4096);
        let mut storage = [Processor::NONE; 600];
        let processors = madt_processors(&area, &mut storage).unwrap();
        assert!(processors.enabled().eq(0..600));
        let refusal = madt_processors(&area, &mut storage[..599]).unwrap_err();
        assert_eq!(refusal.rule, Rule::TooManyEntries(599));
    }

    #[test]
    fn impossible_processors_are_refused() {
        assert_eq!(rule(&table(&[local(7, 1), x2(7, 2)].concat())), Rule::SameProcessor(7));
        assert_eq!(rule(&table(&local(0xff, 1))), Rule::ProcessorIdentifier(0xff));
        let broadcast = u64::from(u32::MAX);
        assert_eq!(rule(&table(&x2(u32::MAX, 1))), Rule::ProcessorIdentifier(broadcast));
        for none in [Vec::new(), local(0, 0), local(0xff, 0), local(0, 2)] {
            assert_eq!(rule(&table(&none)), Rule::ProcessorCount { count: 0, most: 4 });
        }
    }

    #[test]
    fn malformed_tables_are_refused() {
        assert_eq!(rule(&[]), Rule::Truncated(0));
        assert_eq!(rule(&[0; 4096]), Rule::Empty);
        assert_eq!(rule(b"FACP0000"), Rule::Signature(*b"FACP"));
        let good = table(&local(0, 1));
        assert_eq!(rule(&good[..51]), Rule::Truncated(51));
        let mut bad = good.clone();
        bad[20] ^= 1;
        assert_eq!(rule(&bad), Rule::Checksum);
        let mut short = good.clone();
        short[4] = 43;
        assert_eq!(rule(&short), Rule::Structure(0));
        for structure in [
            [0, 7, 0, 0, 1, 0, 0].as_slice(),
            &[9, 8, 0, 0, 0, 0, 0, 0],
            &[0],
            &[7, 0],
            &[7, 1, 0],
            &[7, 5, 0, 0],
        ] {
            assert_eq!(rule(&table(structure)), Rule::Structure(44), "{structure:?}");
        }
        let behind = [local(0, 1), std::vec![0, 8, 0, 1]].concat();
        assert_eq!(rule(&table(&behind)), Rule::Structure(52));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_in_order(structures in prop::collection::vec(prop_oneof![
            (any::<u8>(), 0..4_u8).prop_map(|(id, flags)| local(id, flags)),
            (any::<u32>(), 0..4_u8).prop_map(|(id, flags)| x2(id, flags)),
            prop::collection::vec(0..20_u8, 2..20),
        ], 0..6)) {
            let area = table(&structures.concat());
            let mut storage = [Processor::NONE; 6];
            if let Ok(processors) = madt_processors(&area, &mut storage) {
                prop_assert!(processors.enabled().next().is_some());
                prop_assert!(processors.all().is_sorted_by(|one, next| one.apic_id < next.apic_id));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 44..200)) {
            let length = bytes.len() as u32;
            bytes[..4].copy_from_slice(&SIGNATURE);
            bytes[4..8].copy_from_slice(&length.to_le_bytes());
            seal(&mut bytes);
            let _ = madt_processors(&bytes, &mut [Processor::NONE; 6]);
        }
    }
}
