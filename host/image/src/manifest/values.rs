//! Values of manifest keys that cannot be out of range.
//!
//! Each type checks itself while it is read, so that the TOML reader can say
//! which line is at fault.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use abi_boot::{ConsoleAudience, MAX_REGION_SIZE, PAGE_SIZE};
use abi_x86::SIZE_2M;
use serde::Deserialize;

use crate::layout::part::LOW_MEMORY_END;

/// Name of a platform that images can be built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformName {
    /// `"snp"`: AMD SEV-SNP.
    Snp,
    /// `"native"`: a virtual machine without isolation.
    Native,
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Snp => "snp",
            Self::Native => "native",
        })
    }
}

impl FromStr for PlatformName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "snp" => Ok(Self::Snp),
            "native" => Ok(Self::Native),
            _ => Err(format!("unknown platform `{text}`: expected `snp` or `native`")),
        }
    }
}

/// For whom the module prints messages on the console, which the host sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleName {
    /// `"none"`: nothing is printed.
    #[default]
    None,
    /// `"host"`: what is for the host.
    Host,
    /// `"tenant"`: what is for the guest's owner, too. The host can read it as
    /// well: for development.
    Tenant,
}

impl From<ConsoleName> for ConsoleAudience {
    fn from(name: ConsoleName) -> Self {
        match name {
            ConsoleName::None => Self::NONE,
            ConsoleName::Host => Self::HOST,
            ConsoleName::Tenant => Self::TENANT,
        }
    }
}

/// The value of a key that is left out: checked like every other, by the same
/// function, so that no default can break the type's promise.
pub(super) fn checked_default<T: TryFrom<u64, Error = String>>(value: u64) -> T {
    value.try_into().unwrap_or_else(|problem| unreachable!("a default is refused: {problem}"))
}

/// Defines a value that is made from `$raw` by a check.
macro_rules! checked {
    ($(#[$meta:meta])* $name:ident($raw:ty), $check:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "u64")]
        pub struct $name($raw);

        impl $name {
            /// The checked value.
            #[must_use]
            pub const fn get(self) -> $raw {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = String;

            fn try_from(value: u64) -> Result<Self, String> {
                let check: fn(u64) -> Result<$raw, String> = $check;
                check(value).map(Self)
            }
        }
    };
}

checked!(
    /// Position of the C-bit in a page-table entry: 32 to 51.
    CBit(u8),
    |bit| match bit {
        // Below are addresses that the image itself uses, above are flags.
        32..=51 => Ok(bit as u8),
        _ => Err(format!("`c_bit` is {bit}: expected 32 to 51")),
    }
);

impl CBit {
    /// The bit as a mask for page-table entries.
    #[must_use]
    pub const fn mask(self) -> u64 {
        1 << self.0
    }
}

checked!(
    /// SNP guest policy [SNP ABI 56860 §4.3, table 9].
    Policy(abi_snp::Policy),
    |bits| {
        let policy = abi_snp::Policy::from_bits(bits);
        if policy.is_well_formed() {
            Ok(policy)
        } else {
            // The policy's own words end with what makes it invalid.
            Err(format!("`policy` is {bits:#x}: {policy}"))
        }
    }
);

checked!(
    /// SEV features of the save area [APM 24593 appendix B, table B-4].
    Features(abi_snp::SevFeatures),
    |bits| {
        let features = abi_snp::SevFeatures::from_bits_retain(bits);
        if features.contains(abi_snp::SevFeatures::SNP_ACTIVE) {
            Ok(features)
        } else {
            Err(format!("`sev_features` is {bits:#x}: bit 0 (SNP_ACTIVE) must be set"))
        }
    }
);

checked!(
    /// Where the VMSA is measured: page-aligned.
    VmsaGpa(u64),
    |gpa| if gpa.is_multiple_of(PAGE_SIZE) {
        Ok(gpa)
    } else {
        Err(format!("`vmsa_gpa` is {gpa:#x}: it must be a multiple of 4096"))
    }
);

checked!(
    /// A number of pages: 1 to 1024.
    Pages(u32),
    |pages| match pages {
        1..=1024 => Ok(pages as u32),
        _ => Err(format!("number of pages is {pages}: expected 1 to 1024")),
    }
);

checked!(
    /// Pages of a parameter area: 0 to 1024; 0 for none.
    AreaPages(u32),
    |pages| match pages {
        0..=1024 => Ok(pages as u32),
        _ => Err(format!("number of pages is {pages}: expected 0 to 1024")),
    }
);

checked!(
    /// A number of virtual processors: 1 to 4096.
    MaxVcpus(u32),
    |count| match count {
        1..=4096 => Ok(count as u32),
        _ => Err(format!("`max_vcpus` is {count}: expected 1 to 4096")),
    }
);

checked!(
    /// Processors of a bare Linux image: 1 to 8.
    Cpus(NonZeroU8),
    |count| match (count, NonZeroU8::new(count as u8)) {
        (1..=8, Some(count)) => Ok(count),
        _ => Err(format!("`cpus` is {count}: expected 1 to 8")),
    }
);

checked!(
    /// Bytes of memory below 2 GiB, a multiple of 2 MiB.
    MemorySize(u64),
    |size| if size.is_multiple_of(SIZE_2M) && (1..=LOW_MEMORY_END).contains(&size) {
        Ok(size)
    } else {
        Err(format!(
            "`memory_size` is {size:#x}: it must be a multiple of 2 MiB, at most 2 GiB"
        ))
    }
);

/// Something's name: 1 to 32 of `a` to `z`, `0` to `9`, `-` and `_`, starting
/// with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // It becomes a file name, an argument of cargo or a field of the boot
        // block.
        let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let starts_well = !text.starts_with(['-', '_']);
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) && starts_well {
            Ok(Self(text))
        } else {
            Err("a name must be 1 to 32 of the characters a-z, 0-9, `-` and `_`, \
                 starting with a letter or digit"
                .to_owned())
        }
    }
}

/// `kernel.options`: words for the kernel, one page of printable ASCII at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct KernelOptions(String);

impl KernelOptions {
    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KernelOptions {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if printable && text.len() as u64 <= PAGE_SIZE {
            Ok(Self(text))
        } else {
            Err(format!("`options` must be at most {PAGE_SIZE} printable ASCII characters"))
        }
    }
}

/// `[region]`: contiguous guest memory that the module owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawRegion")]
pub struct Region {
    /// `base`: address of its first byte, a multiple of 4096.
    pub base: u64,
    /// `size`: its bytes, a multiple of 4096, at most 1 GiB.
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegion {
    base: u64,
    size: u64,
}

impl TryFrom<RawRegion> for Region {
    type Error = String;

    fn try_from(raw: RawRegion) -> Result<Self, String> {
        let RawRegion { base, size } = raw;
        if !base.is_multiple_of(PAGE_SIZE) {
            return Err(format!("region: `base` is {base:#x}: it must be a multiple of 4096"));
        }
        if size == 0 || size > MAX_REGION_SIZE || !size.is_multiple_of(PAGE_SIZE) {
            return Err(format!(
                "region: `size` is {size:#x}: it must be a multiple of 4096, at most 1 GiB"
            ));
        }
        match base.checked_add(size) {
            Some(_) => Ok(Self { base, size }),
            None => Err(format!("region: `base` {base:#x} plus `size` {size:#x} wraps around")),
        }
    }
}
