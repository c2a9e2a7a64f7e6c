//! What is wrong with a parameter area.

use core::fmt;

use dtoolkit::error::FdtErrorKind;

/// A parameter area that the host filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The IGVM memory map.
    MemoryMap,
    /// The number of virtual processors.
    ProcessorCount,
    /// The ACPI table of interrupt controllers.
    Madt,
    /// The flattened device tree.
    DeviceTree,
    /// What a PVH loader hands over, with the map of memory that belongs to it.
    StartInformation,
    /// The ACPI root pointer.
    RootPointer,
    /// The ACPI table of all tables.
    RootTable,
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MemoryMap => "memory map",
            Self::ProcessorCount => "processor count",
            Self::Madt => "MADT",
            Self::DeviceTree => "device tree",
            Self::StartInformation => "start information",
            Self::RootPointer => "ACPI root pointer",
            Self::RootTable => "ACPI root table",
        })
    }
}

/// An area that cannot be used: the host is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host's {area} {rule}")]
pub struct Refusal {
    /// The area.
    pub area: Area,
    /// What is wrong with it.
    pub rule: Rule,
}

/// The rule that does not hold. The messages go on after the area's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The loader left the area empty.
    #[error("is empty")]
    Empty,
    /// The area ends before its content does.
    #[error("is cut off at the end of its area, after {0} bytes")]
    Truncated(usize),
    /// More entries than the module has room for (room given).
    #[error("has more than {0} entries")]
    TooManyEntries(usize),

    /// What is at this address cannot be read: it is the module's own, or there
    /// cannot be memory.
    #[error("cannot be read at {0:#x}")]
    Unreadable(u64),
    /// A table says that it has more bytes than there is room for.
    #[error("has {length} bytes, more than {most}")]
    TooLong {
        /// Its bytes.
        length: u64,
        /// Room, in bytes.
        most: usize,
    },
    /// The root table lists no such table.
    #[error("is not in the root table")]
    NotListed,
    /// The start information is none.
    #[error("cannot be used: {0}")]
    StartInformation(abi_pvh::Error),

    /// A range of memory is not made of whole pages.
    #[error("has a range at {start:#x} of {size:#x} bytes, which is not whole pages")]
    NotWholePages {
        /// Address of its first byte.
        start: u64,
        /// Its size in bytes.
        size: u64,
    },
    /// A range of memory is larger than addresses go, or ends above the limit
    /// of physical addresses.
    #[error("has a range from page {first_page:#x} with {pages:#x} pages, beyond {limit:#x}")]
    AddressRange {
        /// Number of its first page.
        first_page: u64,
        /// How many pages it has.
        pages: u64,
        /// The first address that is too high.
        limit: u64,
    },
    /// Two ranges of memory overlap at this address.
    #[error("has two ranges with the address {0:#x}")]
    Overlap(u64),
    /// There is no ordinary memory.
    #[error("has no memory")]
    NoMemory,

    /// No processor, or more than the module serves.
    #[error("has {count} processors; from 1 to {most} can be served")]
    ProcessorCount {
        /// How many.
        count: u32,
        /// How many can be served.
        most: u32,
    },
    /// Two processors have this identifier.
    #[error("has two processors with the x2APIC identifier {0:#x}")]
    SameProcessor(u32),
    /// This identifier addresses all processors, or none.
    #[error("has a processor with the impossible APIC identifier {0:#x}")]
    ProcessorIdentifier(u64),
    /// Another area states this other number of processors.
    #[error("lists {listed} enabled processors, where {stated} are stated elsewhere")]
    ProcessorsDiffer {
        /// Processors in this area.
        listed: u32,
        /// The number from the other area.
        stated: u32,
    },

    /// The table's signature is another one.
    #[error("has the signature {0:x?}")]
    Signature([u8; 4]),
    /// The bytes of the table do not add up to zero.
    #[error("has a wrong checksum")]
    Checksum,
    /// The structure at this offset is shorter than its kind is, or ends behind
    /// the table.
    #[error("has a malformed structure at offset {0:#x}")]
    Structure(usize),

    /// Not a flattened device tree.
    #[error("is malformed: {0}")]
    NotATree(FdtErrorKind),
    /// A node of the tree says something that is not understood.
    #[error("has a node of kind {node} whose property {property} makes no sense")]
    Property {
        /// What kind of node.
        node: &'static str,
        /// The property.
        property: &'static str,
    },
}

impl Rule {
    pub(crate) const fn of(self, area: Area) -> Refusal {
        Refusal { area, rule: self }
    }
}
