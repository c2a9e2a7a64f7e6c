//! Numbers as people and machines like to read them.

use std::fmt;

use serde::{Serialize, Serializer};

/// An address, mask or register value.
///
/// Shown as `0x…`. JSON gets it as a string in the same form, because many
/// readers of JSON lose bits of integers above 2⁵³.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:#x}", self.0))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A number of bytes: shown in the largest binary unit of which it has at least
/// one; a plain integer in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let text = match UNITS.iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) if self.0.is_multiple_of(*unit) => {
                format!("{} {name}", self.0 / unit)
            }
            Some((unit, name)) => {
                let hundredths = u128::from(self.0) * 100 / u128::from(*unit);
                format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
            }
            None => format!("{} B", self.0),
        };
        f.pad(&text)
    }
}

/// Bytes as lower-case hexadecimal digits without separators.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_the_unit_that_fits() {
        let shown = |bytes| Bytes(bytes).to_string();
        assert_eq!(shown(0), "0 B");
        assert_eq!(shown(1023), "1023 B");
        assert_eq!(shown(4096), "4 KiB");
        assert_eq!(shown(6000), "5.85 KiB");
        assert_eq!(shown(16 << 20), "16 MiB");
        assert_eq!(shown(u64::MAX), "16777215.99 TiB");
    }

    #[test]
    fn addresses_stay_exact_in_json() {
        let json = serde_json::to_string(&Hex(u64::MAX)).expect("serializes");
        assert_eq!(json, "\"0xffffffffffffffff\"");
        assert_eq!(format!("{:>8}", Hex(16)), "    0x10");
        assert_eq!(hex(&[0, 0xab]), "00ab");
    }
}
