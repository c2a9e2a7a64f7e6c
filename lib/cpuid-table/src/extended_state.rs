//! State components of XSAVE: their layout and the size of the area.
//!
//! [APM 24593 §11.5.2] and [APM 24594 appendix E, function 0000_000Dh]. The
//! sizes of the components are known, so that a page cannot make an area
//! smaller than what the processor writes into it.

use crate::answer::{Answer, AnswerRegister};
use crate::dependency::{USES, XSAVE, component};
use crate::entries::{EXTENDED_STATE, Entries};
use crate::finding::{ComponentFault, Finding};

/// Bytes of the legacy region and the header behind it.
const FIRST_OFFSET: u32 = 0x240;
/// No known layout needs more than a page.
const AREA_LIMIT: u32 = 0x1000;

/// Subleaf of a component, ECX: the supervisor's.
const SUPERVISOR: u32 = 1 << 0;
/// Subleaf of a component, ECX: aligned to 64 bytes when compacted.
const ALIGNED: u32 = 1 << 1;

/// Subleaf 1, EAX: XSAVEC, and XSAVES with XRSTORS.
const XSAVEC: u32 = 1 << 1;
const XSAVES: u32 = 1 << 3;
/// Subleaf 1, EAX: XSAVEOPT, XSAVEC, XGETBV with ECX = 1, XSAVES. Switching
/// components off (`XFD`, bit 4) is left out: it comes with components that are
/// not known here.
const INSTRUCTIONS: u32 = 0b1111;

/// A component that may be offered: its number and its size in bytes.
const COMPONENTS: [(u32, u32); 7] =
    [(2, 256), (5, 64), (6, 512), (7, 1024), (9, 8), (11, 16), (12, 24)];
/// Those of them that the supervisor saves.
const OF_SUPERVISOR: u64 = component::SHADOW_STACK;

/// The components that are offered, and the instructions for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtendedState {
    /// What XCR0 can hold.
    pub(crate) user: u64,
    /// What XSS can hold.
    pub(crate) supervisor: u64,
    /// Subleaf 1, EAX.
    instructions: u32,
}

impl ExtendedState {
    /// What can be relied on of what `entries` say.
    pub(crate) fn check(entries: Entries<'_>, report: &mut dyn FnMut(Finding)) -> Self {
        let general = entries.answer(EXTENDED_STATE, 0);
        let more = entries.answer(EXTENDED_STATE, 1);
        let stated_user = join(general.eax, general.edx);
        let stated_supervisor = join(more.ecx, more.edx);
        let has_xsave = entries.answer(1, 0).ecx & XSAVE != 0;
        if !has_xsave || stated_user & component::LEGACY != component::LEGACY {
            let rest = (stated_user | stated_supervisor) & !component::LEGACY;
            report_all(rest, ComponentFault::Incomplete, report);
            return Self::default();
        }
        let instructions = instructions(more.eax, report);
        let mut state = Self {
            user: sound(entries, stated_user & !component::LEGACY, 0, report) | component::LEGACY,
            supervisor: sound(entries, stated_supervisor, SUPERVISOR, report),
            instructions,
        };
        state.remove_useless(entries, report);
        state.remove_incomplete(report);
        state.compare_sizes(entries, report);
        state
    }

    /// Components whose feature is not there.
    fn remove_useless(&mut self, entries: Entries<'_>, report: &mut dyn FnMut(Finding)) {
        for of in &USES {
            if entries.answer(of.leaf, 0).register(of.register) & of.bits == 0 {
                self.remove(of.components, ComponentFault::NoFeature, report);
            }
        }
    }

    /// Components that need others or XSAVES.
    fn remove_incomplete(&mut self, report: &mut dyn FnMut(Finding)) {
        let whole = self.user & component::AVX512 == component::AVX512;
        if !whole || self.user & component::AVX == 0 {
            self.remove(component::AVX512, ComponentFault::Incomplete, report);
        }
        if self.instructions & XSAVES == 0 {
            self.remove(self.supervisor, ComponentFault::Incomplete, report);
        }
    }

    fn remove(&mut self, components: u64, fault: ComponentFault, report: &mut dyn FnMut(Finding)) {
        report_all((self.user | self.supervisor) & components, fault, report);
        self.user &= !components;
        self.supervisor &= !components;
    }

    /// Reports stated sizes that are wrong for the registers they are stated
    /// for.
    fn compare_sizes(&self, entries: Entries<'_>, report: &mut dyn FnMut(Finding)) {
        let mut compare = |subleaf, register, stated, computed| {
            if stated != computed {
                report(Finding::AreaSize { subleaf, register, stated, computed });
            }
        };
        if let Some(entry) = entries.find(EXTENDED_STATE, 0) {
            let computed = self.standard_size(entries, entry.xcr0_in);
            compare(0, AnswerRegister::Ebx, entry.ebx, computed);
            let greatest = self.standard_size(entries, self.user);
            compare(0, AnswerRegister::Ecx, entry.ecx, greatest);
        }
        if let Some(entry) = entries.find(EXTENDED_STATE, 1)
            && self.instructions & XSAVEC != 0
        {
            let computed = self.compacted_size(entries, entry.xcr0_in | entry.xss_in);
            compare(1, AnswerRegister::Ebx, entry.ebx, computed);
        }
    }

    /// Leaf 0xd for a processor whose registers are `xcr0` and `xss`.
    pub(crate) fn answer(&self, entries: Entries<'_>, subleaf: u32, xcr0: u64, xss: u64) -> Answer {
        if self.user == 0 {
            return Answer::ZERO;
        }
        match subleaf {
            0 => Answer {
                eax: self.user as u32,
                ebx: self.standard_size(entries, xcr0),
                ecx: self.standard_size(entries, self.user),
                edx: (self.user >> 32) as u32,
            },
            1 => Answer {
                eax: self.instructions,
                ebx: match self.instructions & XSAVEC {
                    0 => 0,
                    _ => self.compacted_size(entries, xcr0 | xss),
                },
                ecx: self.supervisor as u32,
                edx: (self.supervisor >> 32) as u32,
            },
            number if self.offers(number) => entries.answer(EXTENDED_STATE, number),
            _ => Answer::ZERO,
        }
    }

    fn offers(&self, number: u32) -> bool {
        (self.user | self.supervisor).checked_shr(number).is_some_and(|bits| bits & 1 != 0)
    }

    /// Layouts of the offered components that have a bit in `registers`.
    fn enabled<'a>(
        &self,
        entries: Entries<'a>,
        registers: u64,
    ) -> impl Iterator<Item = Answer> + use<'a> {
        let wanted = registers & (self.user | self.supervisor);
        COMPONENTS
            .iter()
            .filter(move |(number, _)| wanted >> number & 1 != 0)
            .map(move |(number, _)| entries.answer(EXTENDED_STATE, *number))
    }

    /// Bytes of the area that XSAVE writes. Of checked components, it is
    /// bounded by [`AREA_LIMIT`].
    fn standard_size(&self, entries: Entries<'_>, xcr0: u64) -> u32 {
        self.enabled(entries, xcr0 & self.user)
            .map(|layout| layout.ebx.saturating_add(layout.eax))
            .fold(FIRST_OFFSET, u32::max)
    }

    /// Bytes of the area that XSAVEC and XSAVES write. The known sizes are too
    /// small to add up to an overflow.
    fn compacted_size(&self, entries: Entries<'_>, registers: u64) -> u32 {
        self.enabled(entries, registers).fold(FIRST_OFFSET, |size, layout| {
            let start = if layout.ecx & ALIGNED != 0 { size.next_multiple_of(64) } else { size };
            start.saturating_add(layout.eax)
        })
    }
}

fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn report_all(components: u64, fault: ComponentFault, report: &mut dyn FnMut(Finding)) {
    for number in (0..u64::BITS).filter(|number| components >> number & 1 != 0) {
        report(Finding::Component { number, fault });
    }
}

/// The instructions that can be relied on: XSAVES comes with XSAVEC.
fn instructions(stated: u32, report: &mut dyn FnMut(Finding)) -> u32 {
    let mut sound = stated & INSTRUCTIONS;
    if sound & XSAVEC == 0 {
        sound &= !XSAVES;
    }
    if stated != sound {
        report(Finding::Features {
            leaf: EXTENDED_STATE,
            subleaf: 1,
            register: AnswerRegister::Eax,
            bits: stated & !sound,
        });
    }
    sound
}

/// Of the components `stated`, those whose layout holds. `kind` is what ECX
/// bit 0 of their subleaves must be.
fn sound(entries: Entries<'_>, stated: u64, kind: u32, report: &mut dyn FnMut(Finding)) -> u64 {
    let of_kind = |number: u32| (OF_SUPERVISOR >> number & 1 != 0) == (kind == SUPERVISOR);
    let mut sound = 0;
    for number in (0..u64::BITS).filter(|number| stated >> number & 1 != 0) {
        let known = COMPONENTS.iter().find(|(known, _)| *known == number && of_kind(number));
        let fault = match known {
            None => Some(ComponentFault::Unknown),
            Some((_, size)) if entries.has(EXTENDED_STATE, number) => {
                let layout = entries.answer(EXTENDED_STATE, number);
                layout_fault(entries, sound, layout, *size, kind)
            }
            Some(_) => Some(ComponentFault::NoLayout),
        };
        match fault {
            None => sound |= 1 << number,
            Some(fault) => report(Finding::Component { number, fault }),
        }
    }
    sound
}

/// What is wrong with a component's layout; `earlier` are the sound components
/// with lower numbers.
fn layout_fault(
    entries: Entries<'_>,
    earlier: u64,
    layout: Answer,
    size: u32,
    kind: u32,
) -> Option<ComponentFault> {
    if layout.eax != size {
        return Some(ComponentFault::Size);
    }
    if layout.ecx & SUPERVISOR != kind {
        return Some(ComponentFault::Kind);
    }
    if kind == SUPERVISOR {
        return (layout.ebx != 0).then_some(ComponentFault::Place);
    }
    let ends_inside = layout.ebx.checked_add(size).is_some_and(|end| end <= AREA_LIMIT);
    if layout.ebx < FIRST_OFFSET || !ends_inside {
        return Some(ComponentFault::Place);
    }
    let overlaps = COMPONENTS
        .iter()
        .filter(|(number, _)| earlier >> number & 1 != 0)
        .map(|(number, size)| (entries.answer(EXTENDED_STATE, *number).ebx, *size))
        .any(|(other, other_size)| {
            // Neither sum overflows: both places were found to end inside.
            layout.ebx < other + other_size && other < layout.ebx + size
        });
    overlaps.then_some(ComponentFault::Overlap)
}
