//! The processors that are there, in the ACPI table of processors (MADT)
//! [ACPI 6.5 §5.2.12].

/// Where fields of every table's header lie [ACPI 6.5 §5.2.6].
const LENGTH: usize = 4;
const CHECKSUM: usize = 9;
/// Where the structures begin: behind the header, the address of the local
/// APICs and flags.
const STRUCTURES: usize = 44;

/// Types of structures that describe a processor.
const LOCAL_APIC: u8 = 0;
const LOCAL_X2APIC: u8 = 9;

/// Flags of a processor that can be used; 0 is one that cannot and never will.
const ENABLED: u32 = 1;

/// Why the processors of a table cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MadtError {
    /// Shorter than its fixed fields (bytes given).
    #[error("the MADT has only {0} bytes")]
    Truncated(usize),
    /// It does not begin with `APIC`.
    #[error("the MADT has no signature")]
    Signature,
    /// It says that it has another length than it has.
    #[error("the MADT has {actual} bytes, but says {said}")]
    Length {
        /// What it says.
        said: u32,
        /// What it has.
        actual: usize,
    },
    /// Its bytes do not add up to 0.
    #[error("the MADT has a wrong checksum")]
    Checksum,
    /// A structure ends behind the table, or has another length than its type
    /// demands (offset given).
    #[error("the MADT's structure at offset {0:#x} is malformed")]
    Structure(usize),
    /// The table has no processor with this APIC id.
    #[error("the MADT has no processor with APIC id {0}: the image was made for fewer processors")]
    UnknownProcessor(u32),
}

/// Enables the processors with these APIC ids in `table`, disables all others
/// and makes the checksum anew.
///
/// # Errors
///
/// `table` is no MADT, or lacks one of the processors; see [`MadtError`].
/// Nothing is changed then.
pub fn enable_processors(table: &mut [u8], apic_ids: &[u32]) -> Result<(), MadtError> {
    check(table)?;
    for id in apic_ids {
        let mut found = false;
        for_each_processor(table, |other, _| found |= other == *id)?;
        if !found {
            return Err(MadtError::UnknownProcessor(*id));
        }
    }
    for_each_processor(table, |id, flags| {
        *flags = if apic_ids.contains(&id) { ENABLED } else { 0 }.to_le_bytes();
    })?;
    let rest = sum(table);
    if let Some(checksum) = table.get_mut(CHECKSUM) {
        *checksum = checksum.wrapping_sub(rest);
    }
    Ok(())
}

fn check(table: &mut [u8]) -> Result<(), MadtError> {
    let actual = table.len();
    if actual < STRUCTURES {
        return Err(MadtError::Truncated(actual));
    }
    if !table.starts_with(b"APIC") {
        return Err(MadtError::Signature);
    }
    let said = table.get(LENGTH..).and_then(<[u8]>::first_chunk).copied().map(u32::from_le_bytes);
    match said {
        Some(said) if said as usize == actual => {}
        said => return Err(MadtError::Length { said: said.unwrap_or(0), actual }),
    }
    if sum(table) != 0 {
        return Err(MadtError::Checksum);
    }
    for_each_processor(table, |_, _| {})
}

fn sum(table: &[u8]) -> u8 {
    table.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Calls `visit` with the APIC id and the flags of every processor.
fn for_each_processor(
    table: &mut [u8],
    mut visit: impl FnMut(u32, &mut [u8; 4]),
) -> Result<(), MadtError> {
    let end = table.len();
    let mut rest = table.get_mut(STRUCTURES..).unwrap_or_default();
    while !rest.is_empty() {
        let malformed = MadtError::Structure(end.saturating_sub(rest.len()));
        let [kind, length, ..] = *rest else { return Err(malformed) };
        // A structure has at least its type and its length.
        let length = usize::from(length);
        let (structure, behind) =
            rest.split_at_mut_checked(length).filter(|_| length >= 2).ok_or(malformed)?;
        if let Some((id, flags)) = processor(kind, structure).map_err(|Malformed| malformed)? {
            visit(id, flags);
        }
        rest = behind;
    }
    Ok(())
}

struct Malformed;

/// APIC id and flags of a structure, if it describes a processor.
fn processor(kind: u8, structure: &mut [u8]) -> Result<Option<(u32, &mut [u8; 4])>, Malformed> {
    match kind {
        LOCAL_APIC => {
            // Type, length, the processor's identity, APIC id, flags.
            let [_, _, _, id, flags @ ..] = structure else { return Err(Malformed) };
            Ok(Some(((*id).into(), flags.try_into().map_err(|_| Malformed)?)))
        }
        LOCAL_X2APIC => {
            // Type, length, reserved, APIC id, flags, the processor's identity.
            let structure: &mut [u8; 16] = structure.try_into().map_err(|_| Malformed)?;
            let [_, _, _, _, id0, id1, id2, id3, rest @ ..] = structure;
            let id = u32::from_le_bytes([*id0, *id1, *id2, *id3]);
            Ok(rest.first_chunk_mut().map(|flags| (id, flags)))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
