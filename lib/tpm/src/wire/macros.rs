//! The tables from which wire types are made.

/// Structures: fields one after the other.
macro_rules! structures {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }

        impl $crate::wire::codec::Wire for $name {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                $($crate::wire::codec::Wire::write(&self.$field, out);)*
            }

            fn read(
                from: &mut $crate::wire::codec::Reader<'_>,
            ) -> Result<Self, $crate::response_code::ResponseCode> {
                Ok(Self {
                    $($field: $crate::wire::codec::Wire::read(from)?,)*
                })
            }
        })*
    };
}

/// Enumerations: the values of an interface type and the code for any other.
/// `Option` of one is the type with TPM_ALG_NULL or the like allowed.
macro_rules! enumerations {
    ($($(#[$meta:meta])* $name:ident($integer:ty) else $error:ident, none $none:literal {
        $($(#[$value_meta:meta])* $variant:ident = $value:literal,)*
    })*) => {
        $($(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr($integer)]
        pub(crate) enum $name {
            $($(#[$value_meta])* $variant = $value,)*
        }

        impl $name {
            #[allow(dead_code, reason = "not every enumeration is listed anywhere")]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The number of this value.
            #[allow(dead_code, reason = "not every enumeration needs its numbers")]
            pub(crate) const fn number(self) -> $integer {
                self as $integer
            }

            /// The value with this number.
            pub(crate) fn from_number(number: $integer) -> Option<Self> {
                match number {
                    $($value => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl $crate::wire::codec::Wire for $name {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::wire::codec::Wire::write(&(*self as $integer), out);
            }

            fn read(
                from: &mut $crate::wire::codec::Reader<'_>,
            ) -> Result<Self, $crate::response_code::ResponseCode> {
                let number = <$integer as $crate::wire::codec::Wire>::read(from)?;
                Self::from_number(number).ok_or($crate::response_code::ResponseCode::$error)
            }
        }

        impl $crate::wire::codec::Wire for Option<$name> {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                let number: $integer = self.map_or($none, |value| value as $integer);
                $crate::wire::codec::Wire::write(&number, out);
            }

            fn read(
                from: &mut $crate::wire::codec::Reader<'_>,
            ) -> Result<Self, $crate::response_code::ResponseCode> {
                let number = <$integer as $crate::wire::codec::Wire>::read(from)?;
                if number == $none {
                    return Ok(None);
                }
                $name::from_number(number)
                    .map(Some)
                    .ok_or($crate::response_code::ResponseCode::$error)
            }
        })*
    };
}

/// Attributes: bits with names; all others are reserved.
macro_rules! attributes {
    ($($(#[$meta:meta])* $name:ident($integer:ty) { $($(#[$bit_meta:ident $($bit_arguments:tt)*])* $bit:ident = $value:expr;)* })*) => {
        $(bitflags::bitflags! {
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) struct $name: $integer {
                $($(#[$bit_meta $($bit_arguments)*])* const $bit = $value;)*
            }
        }

        impl $crate::wire::codec::Wire for $name {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::wire::codec::Wire::write(&self.bits(), out);
            }

            fn read(
                from: &mut $crate::wire::codec::Reader<'_>,
            ) -> Result<Self, $crate::response_code::ResponseCode> {
                Self::from_bits($crate::wire::codec::Wire::read(from)?)
                    .ok_or($crate::response_code::ResponseCode::RESERVED_BITS)
            }
        })*
    };
}

pub(crate) use {attributes, enumerations, structures};
