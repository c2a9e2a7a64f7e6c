//! The chipset's interrupt controller: 24 pins that send messages.
//!
//! As in the 82093AA, with the EOI register of later chips, whose version is
//! 0x20 [82093AA §3], [ICH9 §13.5]. Software reaches it by three registers in
//! memory:
//!
//! | offset | |
//! |---|---|
//! | 0x00 | index of a register |
//! | 0x10 | the register: 0 identification, 1 version, 2 arbitration, 0x10 and up two for each pin |
//! | 0x40 | EOI: ends the interrupts with the vector written |
//!
//! What happens to the pins does not send anything by itself: the caller takes
//! the messages that are ready, each once, with [`IoApic::take_message`].
//! A level-triggered pin that is active sends again when its interrupt has
//! ended. An edge on a masked pin is lost.
//!
//! From memory: that a place without a register reads as zero.

use crate::message::{Message, Trigger};
use crate::redirection::{DELIVERY_STATUS, Half, REMOTE_IRR, Redirection};

/// Version, and the number of the last pin.
const VERSION: u32 = (Pin::COUNT as u32 - 1) << 16 | 0x20;
const ID_MASK: u32 = 0x0f00_0000;

/// The number of a pin: 0 to 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin(u8);

impl Pin {
    /// How many there are.
    pub const COUNT: u8 = 24;

    /// The pin with this number; `None` from [`Self::COUNT`] on.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < Self::COUNT { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// All pins, in the order of their numbers.
    fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The first pin whose bit is set.
    fn first_of(bits: u32) -> Option<Self> {
        Self::new(bits.trailing_zeros() as u8)
    }

    const fn bit(self) -> u32 {
        1 << self.0
    }
}

/// What a device does with its interrupt line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It wants nothing.
    Inactive,
    /// It wants an interrupt.
    Active,
}

/// Registers behind the window.
enum Selected {
    Id,
    Version,
    Arbitration,
    Redirection(Pin, Half),
}

/// An I/O APIC. Each `u32` of its state has one bit for each pin.
#[derive(Clone, Debug)]
pub struct IoApic {
    index: u8,
    id: u32,
    entries: [Redirection; Pin::COUNT as usize],
    /// Of the entries: which are masked, which are level-triggered.
    masked: u32,
    level_triggered: u32,
    /// The devices' lines.
    active: u32,
    /// Active until the interrupt has ended.
    held: u32,
    /// Edges that were not sent yet.
    edges: u32,
    /// Level-triggered interrupts that were sent and have not ended.
    remote_irr: u32,
    /// Pins that were held and have ended.
    ended: u32,
}

impl Default for IoApic {
    fn default() -> Self {
        Self::new()
    }
}

impl IoApic {
    /// An I/O APIC after reset: every pin masked and inactive.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            index: 0,
            id: 0,
            entries: [Redirection::RESET; Pin::COUNT as usize],
            masked: (1 << Pin::COUNT) - 1,
            level_triggered: 0,
            active: 0,
            held: 0,
            edges: 0,
            remote_irr: 0,
            ended: 0,
        }
    }

    /// A device's line changes, or stays as it is.
    pub fn set_line(&mut self, pin: Pin, line: Line) {
        let was_active = self.active & pin.bit() != 0;
        match line {
            Line::Inactive => self.active &= !pin.bit(),
            Line::Active => self.active |= pin.bit(),
        }
        let is_edge = line == Line::Active && !was_active;
        let heeds_edges = (self.masked | self.level_triggered) & pin.bit() == 0;
        if is_edge && heeds_edges {
            self.edges |= pin.bit();
        }
    }

    /// Makes a pin active until its interrupt has ended, and then tells so by
    /// [`take_ended`](Self::take_ended).
    ///
    /// For a line that the caller cannot watch, but asks again at each end.
    /// This request is not lost if the pin is masked: it waits. If the pin is
    /// edge-triggered, it has ended as soon as it is sent.
    pub fn hold_line(&mut self, pin: Pin) {
        self.held |= pin.bit();
    }

    /// A pin that [`hold_line`](Self::hold_line) made active, and that is not
    /// any more. Each end is told once.
    pub fn take_ended(&mut self) -> Option<Pin> {
        let pin = Pin::first_of(self.ended)?;
        self.ended &= !pin.bit();
        Some(pin)
    }

    /// The next message that is ready, from the pin with the lowest number. It
    /// counts as sent.
    ///
    /// A pin whose delivery mode is reserved sends nothing.
    #[must_use = "the message is sent"]
    pub fn take_message(&mut self) -> Option<Message> {
        loop {
            let pin = Pin::first_of(self.ready())?;
            let entry = self.entries[usize::from(pin.0)];
            match entry.trigger() {
                Trigger::Level => self.remote_irr |= pin.bit(),
                Trigger::Edge => {
                    self.edges &= !pin.bit();
                    self.release(pin);
                }
            }
            if let Some(message) = entry.message() {
                return Some(message);
            }
        }
    }

    /// A processor has ended the level-triggered interrupt with `vector`. Pins
    /// that are still active are ready again.
    pub fn end_of_interrupt(&mut self, vector: u8) {
        for pin in Pin::all() {
            let is_sent = self.remote_irr & pin.bit() != 0;
            if is_sent && self.entries[usize::from(pin.0)].vector() == vector {
                self.remote_irr &= !pin.bit();
                self.release(pin);
            }
        }
    }

    /// Reads the 32-bit register at `offset` in memory.
    #[must_use]
    pub fn read(&self, offset: u16) -> u32 {
        match offset {
            0x00 => self.index.into(),
            0x10 => match self.selected() {
                Some(Selected::Id | Selected::Arbitration) => self.id,
                Some(Selected::Version) => VERSION,
                Some(Selected::Redirection(pin, half)) => self.read_entry(pin, half),
                None => 0,
            },
            _ => 0,
        }
    }

    /// Writes the 32-bit register at `offset` in memory. Writes to registers
    /// that cannot be written, or are not there, have no effect.
    pub fn write(&mut self, offset: u16, value: u32) {
        match offset {
            0x00 => self.index = value as u8,
            0x10 => match self.selected() {
                Some(Selected::Id) => self.id = value & ID_MASK,
                Some(Selected::Redirection(pin, half)) => self.write_entry(pin, half, value),
                Some(Selected::Version | Selected::Arbitration) | None => {}
            },
            0x40 => self.end_of_interrupt(value as u8),
            _ => {}
        }
    }

    fn selected(&self) -> Option<Selected> {
        match self.index {
            0 => Some(Selected::Id),
            1 => Some(Selected::Version),
            2 => Some(Selected::Arbitration),
            index => {
                let place = index.checked_sub(0x10)?;
                let half = if place.is_multiple_of(2) { Half::Low } else { Half::High };
                Some(Selected::Redirection(Pin::new(place / 2)?, half))
            }
        }
    }

    fn read_entry(&self, pin: Pin, half: Half) -> u32 {
        let mut bits = self.entries[usize::from(pin.0)].half(half);
        if half == Half::Low && self.ready() & pin.bit() != 0 {
            bits |= DELIVERY_STATUS;
        }
        if half == Half::Low && self.remote_irr & pin.bit() != 0 {
            bits |= REMOTE_IRR;
        }
        bits
    }

    fn write_entry(&mut self, pin: Pin, half: Half, value: u32) {
        let entry = &mut self.entries[usize::from(pin.0)];
        entry.set_half(half, value);
        let (is_masked, trigger) = (entry.is_masked(), entry.trigger());
        self.masked &= !pin.bit();
        if is_masked {
            self.masked |= pin.bit();
        }
        match trigger {
            Trigger::Level => {
                self.level_triggered |= pin.bit();
                self.edges &= !pin.bit();
            }
            Trigger::Edge => {
                self.level_triggered &= !pin.bit();
                // Software uses this to end an interrupt whose EOI was lost.
                if self.remote_irr & pin.bit() != 0 {
                    self.remote_irr &= !pin.bit();
                    self.release(pin);
                }
            }
        }
    }

    /// The pins that have something to send.
    const fn ready(&self) -> u32 {
        let level = self.level_triggered & self.active & !self.remote_irr;
        let level_held = self.level_triggered & self.held & !self.remote_irr;
        let edge = !self.level_triggered & (self.edges | self.held);
        !self.masked & (level | level_held | edge)
    }

    /// Stops holding a pin.
    fn release(&mut self, pin: Pin) {
        self.ended |= self.held & pin.bit();
        self.held &= !pin.bit();
    }
}

#[cfg(test)]
mod tests;
