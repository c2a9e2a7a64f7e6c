//! How open enumerations show themselves: by name, or as a number.

/// Implements `Display` and `Debug` for open enumerations, that is for structs
/// around a number with a method `name(self) -> Option<&str>`: the name, padded
/// as asked, or `unknown (0x…)`.
#[doc(hidden)]
#[macro_export]
macro_rules! show_by_name {
    ($($kind:ident),*) => {$(
        impl core::fmt::Display for $kind {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, "unknown ({:#x})", self.0),
                }
            }
        }
        impl core::fmt::Debug for $kind {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    )*};
}
