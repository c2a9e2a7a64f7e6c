//! One register of a virtual processor: its name, its value, what that means.

use abi_snp::SevFeatures;
use abi_x86::{Cr0, Cr4, Efer, Rflags};
use serde::Serialize;

use super::number::hex;
use super::segment;

/// A register and what it starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Register {
    /// Its name in the processor manual.
    pub name: String,
    /// Its value, hexadecimal; several fields for segments.
    pub value: String,
    /// The value in words; empty where a number says all.
    pub meaning: String,
    /// Whether the value is zero.
    #[serde(skip)]
    pub is_zero: bool,
}

impl Register {
    pub(super) fn new(name: &str, value: u64) -> Self {
        let meaning = match name {
            "CR0" => Cr0::from_bits_retain(value).to_string(),
            "CR4" => Cr4::from_bits_retain(value).to_string(),
            "EFER" => Efer::from_bits_retain(value).to_string(),
            "RFLAGS" => Rflags::from_bits_retain(value).to_string(),
            "SEV_FEATURES" => SevFeatures::from_bits_retain(value).to_string(),
            _ => String::new(),
        };
        let value_text = format!("{value:#x}");
        Self { name: name.to_owned(), value: value_text, meaning, is_zero: value == 0 }
    }

    pub(super) fn segment(
        name: &str,
        selector: u16,
        attributes: u16,
        limit: u32,
        base: u64,
    ) -> Self {
        let is_zero = selector == 0 && attributes == 0 && limit == 0 && base == 0;
        Self {
            name: name.to_owned(),
            value: format!("{selector:#x}:{base:#x} limit {limit:#x} attributes {attributes:#x}"),
            meaning: segment::in_words(attributes),
            is_zero,
        }
    }

    pub(super) fn table(name: &str, limit: u32, base: u64) -> Self {
        let value = format!("{base:#x} limit {limit:#x}");
        let is_zero = limit == 0 && base == 0;
        Self { name: name.to_owned(), value, meaning: String::new(), is_zero }
    }

    pub(super) fn bytes(name: &str, bytes: &[u8]) -> Self {
        let is_zero = bytes.iter().all(|byte| *byte == 0);
        let value = if is_zero { "0x0".to_owned() } else { hex(bytes) };
        Self { name: name.to_owned(), value, meaning: String::new(), is_zero }
    }

    /// The register with its number alone.
    pub(super) fn without_meaning(mut self) -> Self {
        self.meaning.clear();
        self
    }

    /// Whether a person wants to see it even if it is zero.
    #[must_use]
    pub fn is_essential(&self) -> bool {
        ["RIP", "RSP", "RSI", "CR0", "CR3", "CR4", "EFER", "PC", "SEV_FEATURES", "VMPL"]
            .contains(&self.name.as_str())
    }
}
