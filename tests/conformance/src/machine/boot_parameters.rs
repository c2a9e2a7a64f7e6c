//! What a module tells its guest: where the secrets and the CPUID page are, and
//! how many processors there are.
//!
//! `struct boot_params` leads to all of it: by a node of `setup_data` to the
//! blob of confidential computing, which names the two pages, and by the root
//! pointer to the ACPI table of processors [Linux
//! Documentation/arch/x86/zero-page.rst, arch/x86/include/asm/sev.h; ACPI 6.5
//! §5.2].

use abi_snp::{CpuidPage, SecretsPage};

/// What the module tells.
pub(super) struct BootParameters {
    pub(super) cpuid: &'static CpuidPage,
    pub(super) secrets: &'static mut SecretsPage,
    pub(super) processors: u32,
}

/// Offsets in `struct boot_params`.
const ROOT_POINTER: u64 = 0x070;
const SETUP_DATA: u64 = 0x250;

/// A node of `setup_data`: the next one, its type, its length, its content.
const NODE_TYPE: u64 = 8;
const NODE_CONTENT: u64 = 16;
/// The type of the node that names the blob.
const BLOB_NODE: u32 = 7;

/// In the blob: `AMDE`, version, and the addresses of the two pages.
const BLOB_SIGNATURE: u32 = u32::from_le_bytes(*b"AMDE");
const BLOB_SECRETS: u64 = 0x08;
const BLOB_CPUID: u64 = 0x18;

/// In the root pointer: the address of the table of tables, XSDT.
const ROOT_XSDT: u64 = 24;
/// In a table: its length; behind its header, what it holds.
const TABLE_LENGTH: u64 = 4;
const TABLE_CONTENT: u64 = 36;
/// The table of processors, and where its entries begin: type, length, content.
const MADT_SIGNATURE: u32 = u32::from_le_bytes(*b"APIC");
const MADT_ENTRIES: u64 = 44;
/// Type of the entry of a processor; its flags, of which the first enables it.
const LOCAL_APIC: u8 = 0;
const LOCAL_APIC_FLAGS: u64 = 4;

impl BootParameters {
    /// Reads what `parameters` lead to.
    ///
    /// # Safety
    ///
    /// INV-CF-BELOW-1: they are complete, and everything that they lead to is
    /// mapped where it is. Called once.
    pub(super) unsafe fn read(parameters: *const u8) -> Self {
        let parameters = parameters.expose_provenance() as u64;
        // SAFETY: as the caller promises.
        let memory = unsafe { Memory::new() };
        let mut node = memory.get::<u64>(parameters + SETUP_DATA);
        while node != 0 && memory.get::<u32>(node + NODE_TYPE) != BLOB_NODE {
            node = memory.get(node);
        }
        assert!(node != 0, "the module names no blob of confidential computing");
        let blob = u64::from(memory.get::<u32>(node + NODE_CONTENT));
        assert!(memory.get::<u32>(blob) == BLOB_SIGNATURE, "the blob has no signature");
        let (secrets, cpuid) =
            (memory.get::<u64>(blob + BLOB_SECRETS), memory.get::<u64>(blob + BLOB_CPUID));
        let processors = processors(memory, memory.get(parameters + ROOT_POINTER));
        // SAFETY: INV-CF-BELOW-1: pages with this content lie there, of which
        // the first has no other user, and the other does not change.
        let (secrets, cpuid) = unsafe {
            (
                &mut *core::ptr::with_exposed_provenance_mut(secrets as usize),
                &*core::ptr::with_exposed_provenance(cpuid as usize),
            )
        };
        Self { cpuid, secrets, processors }
    }
}

/// Processors that the ACPI tables enable.
fn processors(memory: Memory, root: u64) -> u32 {
    let tables = memory.get::<u64>(root + ROOT_XSDT);
    let tables_end = tables + u64::from(memory.get::<u32>(tables + TABLE_LENGTH));
    let mut addresses = (tables + TABLE_CONTENT..tables_end).step_by(8);
    let madt = addresses
        .find_map(|place| {
            let table = memory.get::<u64>(place);
            (memory.get::<u32>(table) == MADT_SIGNATURE).then_some(table)
        })
        .expect("the module has a table of processors");
    let end = madt + u64::from(memory.get::<u32>(madt + TABLE_LENGTH));
    let (mut entry, mut count) = (madt + MADT_ENTRIES, 0);
    while entry < end {
        let [kind, length] = memory.get::<[u8; 2]>(entry);
        assert!(length >= 2, "an entry of the table of processors has {length} bytes");
        let is_enabled = || memory.get::<u32>(entry + LOCAL_APIC_FLAGS) & 1 != 0;
        if kind == LOCAL_APIC && is_enabled() {
            count += 1;
        }
        entry += u64::from(length);
    }
    count
}

/// Memory where it is.
#[derive(Clone, Copy)]
struct Memory(());

impl Memory {
    /// # Safety
    ///
    /// Whatever is [read](Self::get) is mapped where it is.
    const unsafe fn new() -> Self {
        Self(())
    }

    fn get<T: zerocopy::FromBytes>(self, address: u64) -> T {
        let value = core::ptr::with_exposed_provenance::<T>(address as usize);
        // SAFETY: whoever made this promises that it is mapped; any bytes are a
        // value.
        unsafe { value.read_unaligned() }
    }
}
