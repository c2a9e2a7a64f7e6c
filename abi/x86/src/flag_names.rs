//! How flag types show themselves: by the names of the bits that are set.

/// Implements `Display` and `Debug` for types of `bitflags`: names joined by
/// `" | "`, bits without a name in hexadecimal, nothing for an empty value.
///
/// For this crate and those of its floor; they need `bitflags` themselves.
#[doc(hidden)]
#[macro_export]
macro_rules! show_flag_names {
    ($($flags:ident),*) => {$(
        impl core::fmt::Display for $flags {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                bitflags::parser::to_writer(self, f)
            }
        }
        impl core::fmt::Debug for $flags {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($flags), "({})"), self)
            }
        }
    )*};
}

pub(crate) use show_flag_names;
