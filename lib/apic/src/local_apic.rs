//! One processor's interrupt controller.
//!
//! What it is asked to deliver comes from three sides: messages
//! ([`LocalApic::accept`]), its own pins and timer ([`LocalApic::raise`],
//! [`LocalApic::advance`]), and its registers, which the files `xapic` and
//! `x2apic` reach in the two modes. What the processor is to do comes out as
//! [`Events`] and interrupts.

use core::mem;
use core::num::NonZeroU64;

use crate::apic_base::{ApicBase, Mode, ProcessorRole};
use crate::byte_set::ByteSet;
use crate::error_status::{ApicError, ErrorStatus};
use crate::general_protection::GeneralProtection;
use crate::interrupt_command::Command;
use crate::local_vector::{LocalSource, LocalVector, LocalVectorTable};
use crate::logical_destination::{LogicalDestination, x2apic_matches};
use crate::message::{DeliveryMode, Destination, Message, Trigger};
use crate::moment::Moment;
use crate::priority::{FIRST_VECTOR, Interrupts};
use crate::timer::Timer;

/// What waits for the processor beside interrupts with vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// INIT: the processor goes back to its state after reset. To be looked at
    /// first: everything else here came later.
    pub init: bool,
    /// A start-up interrupt with this page number. Only a processor that waits
    /// after INIT heeds it.
    pub startup: Option<u8>,
    /// A non-maskable interrupt.
    pub non_maskable: bool,
    /// An interrupt whose vector an 8259 interrupt controller knows.
    pub external: bool,
}

/// What an access to a local APIC's registers does elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it is for the bus to deliver"]
pub enum Outgoing {
    /// Sends an interrupt.
    Interrupt(Message),
    /// Tells I/O APICs that the level-triggered interrupt with this vector has
    /// ended.
    EndOfInterrupt(u8),
}

/// A local APIC. It starts in xAPIC mode, as after reset.
#[derive(Clone, Debug)]
pub struct LocalApic {
    id: u32,
    time_stamp_hz: NonZeroU64,
    pub(crate) base: ApicBase,
    events: Events,
    pub(crate) registers: Registers,
}

/// What INIT resets.
#[derive(Clone, Debug)]
pub(crate) struct Registers {
    pub(crate) interrupts: Interrupts,
    /// Bits 9:0 of the spurious vector register.
    pub(crate) spurious: u32,
    pub(crate) logical: LogicalDestination,
    pub(crate) local_vectors: LocalVectorTable,
    pub(crate) errors: ErrorStatus,
    pub(crate) command: u64,
    pub(crate) timer: Timer,
}

impl Registers {
    /// The registers after reset [APM 24593 §16.3.2, table 16-2].
    fn new() -> Self {
        Self {
            interrupts: Interrupts::default(),
            spurious: 0xff,
            logical: LogicalDestination::new(),
            local_vectors: LocalVectorTable::new(),
            errors: ErrorStatus::default(),
            command: 0,
            timer: Timer::new(),
        }
    }
}

impl LocalApic {
    /// What the timer counts, before division: nanoseconds.
    pub const TIMER_HZ: u64 = 1_000_000_000;

    /// The local APIC with number `id` of a processor whose time stamp counter
    /// has the frequency `time_stamp_hz`.
    #[must_use]
    pub fn new(id: u32, role: ProcessorRole, time_stamp_hz: NonZeroU64) -> Self {
        Self {
            id,
            time_stamp_hz,
            base: ApicBase::new(role),
            events: Events::default(),
            registers: Registers::new(),
        }
    }

    /// Its number, all 32 bits.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// How software reaches it now.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.base.mode()
    }

    /// Whether it takes part in anything, and software has enabled it: it takes
    /// interrupts with vectors [SDM 3A §11.4.7.2].
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.mode() != Mode::Disabled && self.is_software_enabled()
    }

    /// Whether it is among those that `destination` means. A disabled one never
    /// is.
    #[must_use]
    pub fn matches(&self, destination: Destination) -> bool {
        match (self.mode(), destination) {
            (Mode::Disabled, _) => false,
            (_, Destination::All) => true,
            (_, Destination::AllBut(sender)) => self.id != sender,
            // Only 8 bits of the number exist in xAPIC mode.
            (Mode::Xapic, Destination::Physical(id)) => self.id & 0xff == id,
            (Mode::X2apic, Destination::Physical(id)) => self.id == id,
            (Mode::Xapic, Destination::Logical(logical)) => self.registers.logical.matches(logical),
            (Mode::X2apic, Destination::Logical(logical)) => x2apic_matches(self.id, logical),
        }
    }

    /// Takes a message for this local APIC; whom it is for is not looked at.
    /// Whether there is something new for the processor.
    ///
    /// INIT resets the registers at once and drops events that wait.
    pub fn accept(&mut self, message: &Message) -> bool {
        if self.mode() == Mode::Disabled {
            return false;
        }
        let Message { delivery_mode, vector, trigger, .. } = *message;
        match delivery_mode {
            DeliveryMode::Fixed | DeliveryMode::LowestPriority => self.request(vector, trigger),
            DeliveryMode::Smi => false,
            DeliveryMode::Nmi => !mem::replace(&mut self.events.non_maskable, true),
            DeliveryMode::External => !mem::replace(&mut self.events.external, true),
            DeliveryMode::Init => {
                self.registers = Registers::new();
                self.events = Events { init: true, ..Events::default() };
                true
            }
            // The first one starts the processor; it ignores a second one.
            DeliveryMode::Startup if self.events.startup.is_some() => false,
            DeliveryMode::Startup => {
                self.events.startup = Some(vector);
                true
            }
        }
    }

    /// A local source signals, once. Whether there is something new for the
    /// processor.
    pub fn raise(&mut self, source: LocalSource) -> bool {
        self.raise_vector(source.vector())
    }

    /// Lets time pass up to `now`. Whether there is something new for the
    /// processor.
    pub fn advance(&mut self, now: Moment) -> bool {
        self.registers.timer.advance(now) && self.raise_vector(LocalVector::Timer)
    }

    /// When to [`advance`](Self::advance) next: at what time, in nanoseconds,
    /// the timer interrupts if nothing changes. `None` if it does not.
    #[must_use]
    pub fn next_event_ns(&self, now: Moment) -> Option<u64> {
        if self.registers.local_vectors.is_masked(LocalVector::Timer) {
            return None;
        }
        self.registers.timer.next_expiry_ns(now, self.time_stamp_hz)
    }

    /// What waits for the processor beside interrupts with vectors.
    #[must_use]
    pub const fn events(&self) -> Events {
        self.events
    }

    /// The processor takes INIT, if one waits. Its local APIC was reset when
    /// the INIT arrived.
    pub fn take_init(&mut self) -> bool {
        mem::take(&mut self.events.init)
    }

    /// The processor takes, or ignores, the start-up interrupt that waits.
    pub fn take_startup(&mut self) -> Option<u8> {
        self.events.startup.take()
    }

    /// The processor takes a non-maskable interrupt, if one waits.
    pub fn take_non_maskable(&mut self) -> bool {
        mem::take(&mut self.events.non_maskable)
    }

    /// The processor asks the 8259 interrupt controller for a vector, if its
    /// interrupt waits.
    pub fn take_external(&mut self) -> bool {
        mem::take(&mut self.events.external)
    }

    /// The vector that the processor takes next if it takes interrupts:
    /// requested, and of a class above the processor priority.
    #[must_use]
    pub fn highest_deliverable(&self) -> Option<u8> {
        match self.mode() {
            Mode::Disabled => None,
            Mode::Xapic | Mode::X2apic => self.registers.interrupts.deliverable(),
        }
    }

    /// The processor takes the interrupt that [`Self::highest_deliverable`]
    /// names: it is in service until software ends it.
    pub fn acknowledge(&mut self) -> Option<u8> {
        self.highest_deliverable()?;
        self.registers.interrupts.acknowledge()
    }

    /// Whether anything waits: an event or a deliverable interrupt.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.events != Events::default() || self.highest_deliverable().is_some()
    }

    /// Interrupts that were requested and not yet taken.
    #[must_use]
    pub const fn requested(&self) -> &ByteSet {
        self.registers.interrupts.requested()
    }

    /// Interrupts that were taken and have not ended.
    #[must_use]
    pub const fn in_service(&self) -> &ByteSet {
        self.registers.interrupts.in_service()
    }

    /// What the class of an interrupt must exceed to be delivered: bits 7:4 are
    /// the class.
    #[must_use]
    pub fn processor_priority(&self) -> u8 {
        self.registers.interrupts.processor_priority()
    }

    /// CR8: the class of the task priority, 0 to 15 [APM 24593 §16.6.4].
    #[must_use]
    pub const fn cr8(&self) -> u64 {
        (self.registers.interrupts.task_priority() >> 4) as u64
    }

    /// Software writes CR8.
    ///
    /// # Errors
    ///
    /// #GP if bits above the class are set.
    pub fn set_cr8(&mut self, value: u64) -> Result<(), GeneralProtection> {
        match u8::try_from(value) {
            Ok(class @ 0..=15) => {
                self.registers.interrupts.set_task_priority(class << 4);
                Ok(())
            }
            _ => Err(GeneralProtection::PriorityClass(value)),
        }
    }

    /// The present interrupt ends. What the I/O APICs must know.
    pub(crate) fn end_of_interrupt(&mut self) -> Option<Outgoing> {
        match self.registers.interrupts.end()? {
            (vector, Trigger::Level) => Some(Outgoing::EndOfInterrupt(vector)),
            (_, Trigger::Edge) => None,
        }
    }

    /// Does what software commands.
    pub(crate) fn execute(&mut self, command: Command) -> Option<Outgoing> {
        match command {
            Command::Nothing => {}
            Command::IllegalVector => self.record_error(ApicError::SentIllegalVector),
            Command::Own(vector) => {
                self.request(vector, Trigger::Edge);
            }
            Command::Send(message) => return Some(Outgoing::Interrupt(message)),
        }
        None
    }

    /// Software changes the mode. A local APIC that was switched off forgets
    /// everything but its number.
    pub(crate) fn write_base(&mut self, value: u64) -> Result<(), GeneralProtection> {
        self.base.write(value)?;
        if self.mode() == Mode::Disabled {
            self.registers = Registers::new();
            self.events = Events::default();
        }
        Ok(())
    }

    /// Bit 8 of the spurious vector register.
    pub(crate) const fn is_software_enabled(&self) -> bool {
        self.registers.spurious & 1 << 8 != 0
    }

    /// Notes an error; the first one since software looked interrupts.
    pub(crate) fn record_error(&mut self, error: ApicError) {
        if self.registers.errors.record(error) {
            // This may find another error, which is not the first any more.
            self.raise_vector(LocalVector::Error);
        }
    }

    fn raise_vector(&mut self, vector: LocalVector) -> bool {
        let Some(interrupt) = self.registers.local_vectors.interrupt(vector) else {
            return false;
        };
        self.accept(&Message {
            destination: Destination::Physical(self.id),
            delivery_mode: interrupt.delivery_mode,
            vector: interrupt.vector,
            trigger: Trigger::Edge,
        })
    }

    fn request(&mut self, vector: u8, trigger: Trigger) -> bool {
        if !self.is_software_enabled() {
            return false;
        }
        if vector < FIRST_VECTOR {
            self.record_error(ApicError::ReceivedIllegalVector);
            return false;
        }
        self.registers.interrupts.request(vector, trigger)
    }
}
