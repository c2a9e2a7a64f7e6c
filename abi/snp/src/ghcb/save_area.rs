//! What goes with a request or an answer: a private copy of the save area.

use crate::ghcb::valid_fields::ValidFields;

/// The fields that are marked as valid, the others `None`.
///
/// A value and its mark cannot part ways: storing marks what there is, loading
/// takes what is marked. That is the whole protocol of the valid bitmap, for
/// guests and hypervisors alike [GHCB 56421 2.04 §2.3.2].
///
/// RSI is not among the fields of the specification; Linux passes it to KVM
/// with hypercalls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaveArea {
    /// Privilege level that the request comes from, 0 to 3.
    pub cpl: Option<u8>,
    /// XSS.
    pub xss: Option<u64>,
    /// DR7.
    pub dr7: Option<u64>,
    /// RAX.
    pub rax: Option<u64>,
    /// RCX.
    pub rcx: Option<u64>,
    /// RDX.
    pub rdx: Option<u64>,
    /// RBX.
    pub rbx: Option<u64>,
    /// RSI.
    pub rsi: Option<u64>,
    /// `SW_EXITCODE`: what is asked for.
    pub exit_code: Option<u64>,
    /// `SW_EXITINFO1`: details of the request; then, how it went.
    pub exit_info_1: Option<u64>,
    /// `SW_EXITINFO2`: details of the request; then, of how it went.
    pub exit_info_2: Option<u64>,
    /// `SW_SCRATCH`: guest physical address of a buffer, often the one inside
    /// the page.
    pub scratch: Option<u64>,
    /// XCR0.
    pub xcr0: Option<u64>,
}

/// Bytes of the save area, with the bitmap.
pub(super) const SIZE: usize = 0x400;

/// Offset of the bitmap's first half.
const BITMAP: usize = 0x3f0;

/// Offset of the 8 bytes that hold CPL, and its place in them.
const CPL_WORD: usize = 0x0c8;
const CPL_SHIFT: u32 = 24;

/// Calls `$visit!(field offset FLAG)` for every field of 8 bytes.
macro_rules! for_each_word {
    ($visit:ident) => {
        $visit!(xss 0x140 XSS);
        $visit!(dr7 0x160 DR7);
        $visit!(rax 0x1f8 RAX);
        $visit!(rcx 0x308 RCX);
        $visit!(rdx 0x310 RDX);
        $visit!(rbx 0x318 RBX);
        $visit!(rsi 0x330 RSI);
        $visit!(exit_code 0x390 EXIT_CODE);
        $visit!(exit_info_1 0x398 EXIT_INFO_1);
        $visit!(exit_info_2 0x3a0 EXIT_INFO_2);
        $visit!(scratch 0x3a8 SCRATCH);
        $visit!(xcr0 0x3e8 XCR0);
    };
}

impl SaveArea {
    /// A request for `exit_code`, without any registers yet.
    #[must_use]
    pub const fn request(exit_code: u64, exit_info_1: u64, exit_info_2: u64) -> Self {
        Self { exit_code: Some(exit_code), ..Self::answer(exit_info_1, exit_info_2) }
    }

    /// An answer without any registers yet.
    #[must_use]
    pub const fn answer(exit_info_1: u64, exit_info_2: u64) -> Self {
        Self {
            cpl: None,
            xss: None,
            dr7: None,
            rax: None,
            rcx: None,
            rdx: None,
            rbx: None,
            rsi: None,
            exit_code: None,
            exit_info_1: Some(exit_info_1),
            exit_info_2: Some(exit_info_2),
            scratch: None,
            xcr0: None,
        }
    }

    /// The marks that belong to what there is.
    #[inline(always)]
    #[must_use]
    pub fn valid_fields(&self) -> ValidFields {
        let mut valid = ValidFields::empty();
        valid.set(ValidFields::CPL, self.cpl.is_some());
        macro_rules! mark {
            ($field:ident $offset:literal $flag:ident) => {
                valid.set(ValidFields::$flag, self.$field.is_some());
            };
        }
        for_each_word!(mark);
        valid
    }

    /// Takes what is marked as valid. `read` gets an offset in the page, always
    /// a multiple of 8, and gives the 8 bytes there; it is called once at most
    /// for each offset.
    #[inline(always)]
    #[must_use]
    pub fn load(read: impl FnMut(usize) -> u64) -> Self {
        Self::load_fields(ValidFields::all(), read)
    }

    /// As [`Self::load`], of the fields in `wanted` alone: nothing else is read,
    /// and the others are `None` whether they are marked or not.
    // Where `wanted` is known, only what is needed for that is left of it.
    #[inline(always)]
    #[must_use]
    pub fn load_fields(wanted: ValidFields, mut read: impl FnMut(usize) -> u64) -> Self {
        let mut half = |offset: usize, wanted: u64| match wanted {
            0 => 0,
            _ => u128::from(read(offset) & wanted),
        };
        let low = half(BITMAP, wanted.bits() as u64);
        let high = half(BITMAP + 8, (wanted.bits() >> 64) as u64);
        let valid = ValidFields::from_bits_retain(high << 64 | low);
        let mut area = Self::default();
        if valid.contains(ValidFields::CPL) {
            area.cpl = Some((read(CPL_WORD) >> CPL_SHIFT) as u8);
        }
        macro_rules! take {
            ($field:ident $offset:literal $flag:ident) => {
                if valid.contains(ValidFields::$flag) {
                    area.$field = Some(read($offset));
                }
            };
        }
        for_each_word!(take);
        area
    }

    /// Stores what there is and marks it, and nothing else, as valid. `write`
    /// gets an offset in the page, always a multiple of 8, and the 8 bytes for
    /// it.
    #[inline(always)]
    pub fn store(&self, mut write: impl FnMut(usize, u64)) {
        if let Some(cpl) = self.cpl {
            write(CPL_WORD, u64::from(cpl) << CPL_SHIFT);
        }
        macro_rules! put {
            ($field:ident $offset:literal $flag:ident) => {
                if let Some(value) = self.$field {
                    write($offset, value);
                }
            };
        }
        for_each_word!(put);
        let valid = self.valid_fields().bits();
        write(BITMAP, valid as u64);
        write(BITMAP + 8, (valid >> 64) as u64);
    }
}

const _: () = {
    macro_rules! check {
        ($field:ident $offset:literal $flag:ident) => {
            assert!($offset % 8 == 0 && $offset < BITMAP);
            assert!(ValidFields::$flag.bits() == 1 << ($offset / 8));
        };
    }
    for_each_word!(check);
    assert!(CPL_WORD + CPL_SHIFT as usize / 8 == 0x0cb);
    assert!(ValidFields::CPL.bits() == 1 << (CPL_WORD / 8));
    assert!(BITMAP + size_of::<ValidFields>() == SIZE);
};

#[cfg(test)]
mod tests;
