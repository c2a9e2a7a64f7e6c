//! Values of options, as people write them.

use std::path::PathBuf;

use abi_simulator::MAX_MEMORY;
use abi_simulator::launch::Trace;
use abi_snp::{SevFeatures, Vmpl};

use crate::simulation::FirmwareItem;

/// Where the guest's first serial port ends up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Serial {
    /// On this program's standard streams.
    Stdio,
    /// In a file; nothing is typed.
    File(PathBuf),
    /// Nowhere, though an expected text is still looked for.
    None,
}

/// Reads `stdio`, `file:PATH` or `none`.
pub(super) fn serial(text: &str) -> Result<Serial, String> {
    match (text, text.strip_prefix("file:")) {
        ("stdio", _) => Ok(Serial::Stdio),
        ("none", _) => Ok(Serial::None),
        (_, Some(path)) if !path.is_empty() => Ok(Serial::File(path.into())),
        _ => Err("expected stdio, file:PATH or none".to_owned()),
    }
}

/// Reads a size in bytes: a number, with `K`, `M` or `G` behind it for units of
/// 1024, 1024² and 1024³ bytes.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let number = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .and_then(|digits| digits.parse::<u64>().ok())
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "expected a size such as 512M or 1G".to_owned())
}

/// Reads the size of the guest's memory.
pub(super) fn memory(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if bytes.is_multiple_of(2 << 20) && (1..=MAX_MEMORY).contains(&bytes) {
        Ok(bytes)
    } else {
        Err("expected a multiple of 2M, at most 8G".to_owned())
    }
}

/// Reads the number of a privilege level.
pub(super) fn vmpl(text: &str) -> Result<Vmpl, String> {
    let level = text.parse().ok().and_then(Vmpl::from_number);
    level.ok_or_else(|| "expected a privilege level, 0 to 3".to_owned())
}

/// Reads `NAME=TEXT`.
pub(super) fn firmware_item(text: &str) -> Result<FirmwareItem, String> {
    match text.split_once('=') {
        Some((name, text)) if name.strip_prefix("opt/").is_some_and(|name| !name.is_empty()) => {
            Ok(FirmwareItem { name: name.to_owned(), text: text.to_owned() })
        }
        _ => Err("expected NAME=TEXT, with a name such as opt/mine".to_owned()),
    }
}

/// Reads a version of attestation reports.
pub(super) fn report_version(text: &str) -> Result<u8, String> {
    match text {
        "2" => Ok(2),
        "3" => Ok(3),
        "5" => Ok(5),
        _ => Err("expected 2, 3 or 5".to_owned()),
    }
}

/// Reads SEV features: names and hexadecimal numbers, separated by commas.
pub(super) fn sev_features(text: &str) -> Result<SevFeatures, String> {
    let named = |name: &str| SevFeatures::from_name(name).map(|feature| feature.bits());
    let bits = flags(text, &named, SevFeatures::all().iter_names().map(|(name, _)| name))?;
    Ok(SevFeatures::from_bits_retain(bits))
}

/// Reads what to trace: names, separated by commas, or `all`.
pub(super) fn trace(text: &str) -> Result<Trace, String> {
    if text == "all" {
        return Ok(Trace::all());
    }
    let named = |name: &str| Trace::from_name(name).map(|kind| kind.bits());
    let bits = flags(text, &named, Trace::all().iter_names().map(|(name, _)| name))?;
    Trace::from_bits(bits).ok_or_else(|| format!("{bits:#x} has bits that mean nothing"))
}

/// Reads a list of flags. Their names are `names`; people write them in small
/// letters with dashes.
fn flags<'a>(
    text: &str,
    bits_of: &dyn Fn(&str) -> Option<u64>,
    names: impl Iterator<Item = &'a str>,
) -> Result<u64, String> {
    let word_bits = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => bits_of(&word.to_uppercase().replace('-', "_")),
    };
    let mut bits = 0;
    for word in text.split(',') {
        let Some(more) = word_bits(word) else {
            let names: Vec<String> = names.map(as_people_write).collect();
            return Err(format!("there is no `{word}`: expected {}", names.join(", ")));
        };
        bits |= more;
    }
    Ok(bits)
}

fn as_people_write(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use abi_simulator::launch::Trace;
    use abi_snp::{SevFeatures, Vmpl};

    use super::{
        FirmwareItem, Serial, firmware_item, memory, report_version, serial, sev_features, size,
        trace, vmpl,
    };

    #[test]
    fn places_for_the_console() {
        assert_eq!(serial("stdio"), Ok(Serial::Stdio));
        assert_eq!(serial("none"), Ok(Serial::None));
        assert_eq!(serial("file:a/b"), Ok(Serial::File("a/b".into())));
        for wrong in ["", "file:", "file", "tcp:1"] {
            assert!(serial(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn items_for_the_guest() {
        let item = |name: &str, text: &str| FirmwareItem { name: name.into(), text: text.into() };
        assert_eq!(firmware_item("opt/a=b"), Ok(item("opt/a", "b")));
        assert_eq!(firmware_item("opt/a/b=c=d"), Ok(item("opt/a/b", "c=d")));
        assert_eq!(firmware_item("opt/a="), Ok(item("opt/a", "")));
        for wrong in ["", "opt/a", "opt/=b", "etc/a=b", "=b"] {
            assert!(firmware_item(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("512M", 512 << 20), ("1G", 1 << 30), ("4g", 4 << 30), ("8k", 8192), ("4096", 4096)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "M", "1T", "-1M", "+1M", "1.5G", "1 G", "99999999999G", "Gé", "é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn memory_sizes() {
        assert_eq!(memory("2M"), Ok(2 << 20));
        assert_eq!(memory("8G"), Ok(8 << 30));
        for wrong in ["0", "1M", "8194M", "9G"] {
            assert!(memory(wrong).is_err_and(|text| text.contains("at most 8G")), "{wrong}");
        }
    }

    #[test]
    fn report_versions() {
        assert_eq!(["2", "3", "5"].map(report_version), [Ok(2), Ok(3), Ok(5)]);
        assert!(report_version("4").is_err());
    }

    #[test]
    fn privilege_levels() {
        assert_eq!(["0", "3"].map(vmpl), [Ok(Vmpl::Vmpl0), Ok(Vmpl::Vmpl3)]);
        for wrong in ["", "4", "-1", "256", "VMPL1"] {
            assert!(vmpl(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn features_by_name_and_number() {
        let expected = SevFeatures::SNP_ACTIVE | SevFeatures::DEBUG_SWAP;
        for text in ["snp-active,debug-swap", "SNP_ACTIVE,DEBUG_SWAP", "0x21", "0x1,debug-swap"] {
            assert_eq!(sev_features(text), Ok(expected), "{text}");
        }
        // Bits without a name are for finding out what a guest does then.
        assert_eq!(sev_features("0x8000000000000000").map(|f| f.bits()), Ok(1 << 63));
    }

    #[test]
    fn wrong_names_are_told_with_the_right_ones() {
        for wrong in ["", "debug-swap,", "fast", "12", "0x", "0xg", "0x10000000000000000"] {
            let error = sev_features(wrong);
            assert!(error.is_err_and(|text| text.contains("restricted-injection")), "{wrong}");
        }
    }

    #[test]
    fn kinds_of_traces() {
        assert_eq!(trace("exits,security-processor"), Ok(Trace::EXITS | Trace::SECURITY_PROCESSOR));
        assert_eq!(trace("all"), Ok(Trace::all()));
        assert!(trace("exits,all-of-it").is_err_and(|text| text.contains("ghcb")));
        assert!(trace("0x8000000000000000").is_err());
    }
}
