//! Interrupts on their way to local APICs.

/// An interrupt message [APM 24593 §16.5], [SDM 3A §11.6].
///
/// There is no field for the level: a message that would take an interrupt
/// back (*de-assert*) has no effect on any processor of today, and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whom it is for.
    pub destination: Destination,
    /// What it does there.
    pub delivery_mode: DeliveryMode,
    /// The vector of a [`DeliveryMode::Fixed`] or
    /// [`DeliveryMode::LowestPriority`] interrupt, the page number of
    /// [`DeliveryMode::Startup`]; without meaning for others.
    pub vector: u8,
    /// Whether the sender wants to know of the interrupt's end.
    pub trigger: Trigger,
}

/// Which local APICs a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The one with this number.
    Physical(u32),
    /// Those that the number matches by their logical destination registers.
    Logical(u32),
    /// Every one.
    All,
    /// Every one but the sender, whose number this is.
    AllBut(u32),
}

impl Destination {
    /// The destination that 8 bits name: in MSIs, in the I/O APIC and in the
    /// xAPIC's interrupt command. 255 is every local APIC.
    pub(crate) const fn from_byte(mode: DestinationMode, byte: u8) -> Self {
        match (mode, byte) {
            (_, 0xff) => Self::All,
            (DestinationMode::Physical, id) => Self::Physical(id as u32),
            (DestinationMode::Logical, id) => Self::Logical(id as u32),
        }
    }

    /// The destination that 32 bits name: in the x2APIC's interrupt command.
    /// All ones are every local APIC [SDM 3A §11.12.9].
    pub(crate) const fn from_word(mode: DestinationMode, word: u32) -> Self {
        match (mode, word) {
            (_, u32::MAX) => Self::All,
            (DestinationMode::Physical, id) => Self::Physical(id),
            (DestinationMode::Logical, id) => Self::Logical(id),
        }
    }
}

/// How a destination's number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DestinationMode {
    /// The number of one local APIC.
    Physical,
    /// To be matched with each one's logical destination register.
    Logical,
}

impl DestinationMode {
    /// The mode that a bit says: 0 is physical.
    pub(crate) const fn from_bit(value: u64, bit: u32) -> Self {
        if value >> bit & 1 == 0 { Self::Physical } else { Self::Logical }
    }
}

/// What a message does at its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DeliveryMode {
    /// Interrupt with the vector.
    Fixed = 0,
    /// Interrupt with the vector at one of the destinations, see
    /// [`Bus::send`](crate::Bus::send).
    LowestPriority = 1,
    /// System management interrupt: dropped.
    Smi = 2,
    /// Non-maskable interrupt.
    Nmi = 4,
    /// Back to the state after reset, and wait for [`Self::Startup`].
    Init = 5,
    /// Start in real mode at the page that the vector names.
    Startup = 6,
    /// Interrupt whose vector an 8259 interrupt controller knows.
    External = 7,
}

impl DeliveryMode {
    /// The mode in bits 10:8 of a register or of an MSI's data; `None` for 3,
    /// which is reserved.
    pub(crate) const fn from_bits_10_8(value: u64) -> Option<Self> {
        match value >> 8 & 7 {
            0 => Some(Self::Fixed),
            1 => Some(Self::LowestPriority),
            2 => Some(Self::Smi),
            4 => Some(Self::Nmi),
            5 => Some(Self::Init),
            6 => Some(Self::Startup),
            7 => Some(Self::External),
            _ => None,
        }
    }

    /// Whether the vector is one of an interrupt, which ends with an EOI.
    pub(crate) const fn has_vector(self) -> bool {
        matches!(self, Self::Fixed | Self::LowestPriority)
    }
}

/// How a source signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Once for each change from inactive to active.
    Edge,
    /// As long as it is active: the end of an interrupt is reported back.
    Level,
}

impl Trigger {
    /// The trigger in bit 15 of a register or of an MSI's data.
    pub(crate) const fn from_bit_15(value: u64) -> Self {
        if value >> 15 & 1 == 0 { Self::Edge } else { Self::Level }
    }
}
