//! Operand of `lgdt` and `lidt` for a whole table.

use abi_x86::DescriptorTablePointer;

/// Points at all of `table`, which the processor may access from now on: its
/// provenance is exposed.
pub(crate) fn table_pointer<T, const N: usize>(table: *const [T; N]) -> DescriptorTablePointer {
    const { assert!(size_of::<[T; N]>() != 0 && size_of::<[T; N]>() <= 1 << 16) };
    DescriptorTablePointer {
        limit: (size_of::<[T; N]>() - 1) as u16,
        base: table.expose_provenance() as u64,
    }
}

#[cfg(test)]
mod tests {
    use abi_x86::GateDescriptor;

    use super::*;

    #[test]
    fn limit_is_the_last_byte() {
        static TABLE: [GateDescriptor; 256] = [GateDescriptor::MISSING; 256];
        let DescriptorTablePointer { limit, base } = table_pointer(&raw const TABLE);
        assert_eq!(limit, 0xfff);
        assert_eq!(base, (&raw const TABLE).addr() as u64);
    }
}
