//! The guest as a whole, and the loop that runs it.
//!
//! One processor of this machine runs all virtual processors in turn: each goes
//! on until it waits, yields or has used up its slice of time while others want
//! to run. So the same input gives the same run, and nothing needs a lock.

use abi_simulator::launch::Trace;
use abi_simulator::report::End;
use abi_snp::{SevFeatures, Vmpl};
use abi_svm::{Event, EventIntercepts, ExceptionIntercepts, ExitCode, InstructionIntercepts};
use abi_x86::ExceptionVector;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use apic::{Line, Pin};
use machine::doorbell::{Waiting, ring};
use machine::ghcb::{Next, PageStates, Server, Stop};
use machine::hostile::{Injection, Scenario, serve};
use machine::processor::{Exception, Offer, RegisterFile, SavedEvents, deliver_exception};
use machine::processors::{RunState, Running, Target};
use machine::reverse_map::Encryption;
use machine::{Gpa, GuestMemory, Schedule};
use zerocopy::IntoBytes;

use super::core::{Core, Due, blank_vmsa};
use super::memory_access::{ProcessorMemory, Reach};
use super::world::World;
use crate::clock::ticks;
use crate::communication::{self, Delivery};
use crate::exit_counts::ExitCounts;
use crate::instruction::{take_interrupts, wait_for_interrupt};
use crate::io_apic;
use crate::local_apic;
use crate::vcpu::{Exit, ExtraIntercepts};

/// Longest time that the timer of this machine is set to.
const LONGEST_WAIT_NS: u64 = 1_000_000_000;

/// A guest that runs.
pub(super) struct Guest {
    pub(super) world: World,
    pub(super) server: Server,
    pub(super) cores: Vec<Core>,
    /// Whose registers are in this machine's processor.
    pub(super) on_processor: Option<usize>,
    pub(super) offer: Offer,
    pub(super) schedule: Schedule,
    pub(super) exits: ExitCounts,
    pub(super) save_areas_entered: u64,
    /// What this machine's timer is set to, if it is.
    pub(super) alarm_ns: Option<u64>,
    /// What the host does to the guest, if it does not play fair.
    pub(super) scenario: Scenario,
    /// For each processor, the events that the host wants delivered.
    pub(super) injections: Vec<VecDeque<Injection>>,
}

/// Whether a processor goes on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It goes on.
    GoesOn,
    /// Others may run first.
    Yields,
}

/// What makes a guest exit, beside what always does.
pub(super) fn intercepts(file: &RegisterFile, others: bool) -> ExtraIntercepts {
    let debug = if file.features.contains(SevFeatures::DEBUG_SWAP) { 0 } else { 1 << 7 };
    let mut events = EventIntercepts::CPUID
        .union(EventIntercepts::RDPMC)
        .union(EventIntercepts::INVD)
        .union(EventIntercepts::HLT);
    // Who spins waits for another processor.
    events.set(EventIntercepts::PAUSE, others);
    // The emulated processor can add to the counter, but not multiply it.
    let is_scaled = file.tsc.offset_alone().is_none();
    events.set(EventIntercepts::RDTSC, is_scaled);
    let mut instructions = InstructionIntercepts::WBINVD
        .union(InstructionIntercepts::MONITOR)
        .union(InstructionIntercepts::MWAIT);
    instructions.set(InstructionIntercepts::RDTSCP, is_scaled);
    ExtraIntercepts {
        events,
        instructions,
        exceptions: ExceptionIntercepts(1 << ExceptionVector::INVALID_OPCODE.0),
        cr_writes: 1 << 0,
        dr_reads: debug,
        dr_writes: debug,
    }
}

impl Guest {
    /// Runs the guest to its end.
    pub(super) fn run(&mut self) -> End {
        let count = self.cores.len();
        let mut first = 0;
        loop {
            match self.turn(first) {
                Ok(Some(ran)) => first = self.schedule.first(ran, count),
                Ok(None) => {}
                Err(end) => {
                    self.tell_attacks();
                    return end;
                }
            }
        }
    }

    /// Lets one processor run, the first from `first` on that can, or waits
    /// until one can. Says which one ran.
    fn turn(&mut self, first: usize) -> Result<Option<usize>, End> {
        self.take_physical_interrupts();
        self.deliver_processor_events()?;
        self.attack()?;
        let count = self.cores.len();
        let chosen = (first..first + count).map(|i| i % count).find(|i| self.is_runnable(*i));
        let Some(chosen) = chosen else {
            self.wait()?;
            return Ok(None);
        };
        let slice_end = self.world.clock.now() + self.schedule.slice_ns();
        let mut alone = self.runnable_count() == 1;
        loop {
            self.enter(chosen)?;
            self.attack()?;
            if !self.is_entered(chosen) {
                break;
            }
            self.set_alarm(if alone { None } else { Some(slice_end) });
            let turn = self.step(chosen)?;
            if let Some(end) = self.world.end.take() {
                return Err(end);
            }
            self.take_physical_interrupts();
            self.deliver_processor_events()?;
            if turn == Turn::Yields || !self.is_runnable(chosen) {
                break;
            }
            alone = count == 1 || self.runnable_count() == 1;
            if !alone && self.world.clock.now() >= slice_end {
                break;
            }
        }
        Ok(Some(chosen))
    }

    fn is_runnable(&self, core: usize) -> bool {
        let state = self.server.processors().state(self.cores[core].index);
        matches!(state, RunState::Runnable(_))
    }

    /// Whether the processor has the registers that it should run with.
    fn is_entered(&self, core: usize) -> bool {
        let Core { index, loaded, .. } = self.cores[core];
        self.is_runnable(core) && loaded == self.server.processors().running(index)
    }

    fn runnable_count(&self) -> usize {
        (0..self.cores.len()).filter(|core| self.is_runnable(*core)).count()
    }

    /// Takes what devices and timers have raised to the guest's interrupt
    /// controllers.
    fn take_physical_interrupts(&mut self) {
        let mut pins = io_apic::take_notes();
        while pins != 0 {
            let number = pins.trailing_zeros() as u8;
            pins &= pins - 1;
            let Some(pin) = Pin::new(number) else { continue };
            if io_apic::is_level(number) {
                self.world.bus.hold_line(pin);
            } else {
                self.world.bus.set_line(pin, Line::Active);
                self.world.bus.set_line(pin, Line::Inactive);
            }
        }
        while let Some(pin) = self.world.bus.take_ended() {
            io_apic::unmask(pin.number());
        }
        let now = self.world.moment();
        self.world.bus.advance(now);
    }

    /// Gives processors the interrupts that are not vectors, and wakes those
    /// that were waiting for one.
    fn deliver_processor_events(&mut self) -> Result<(), End> {
        for number in 0..self.cores.len() {
            let index = self.cores[number].index;
            let local = self.world.bus.local_apic_mut(number as u8);
            if !local.has_work() {
                continue;
            }
            if local.take_init() {
                self.server.processors_mut().init(index);
                self.settle()?;
            }
            let local = self.world.bus.local_apic_mut(number as u8);
            if local.take_startup().is_some()
                && let Some(answer) = self.server.start_up(index, &mut self.world)
            {
                self.cores[number].ghcb_msr = answer.ghcb_msr;
                if let Next::Stop(stop) = answer.next {
                    return Err(stop_end(number, Vmpl::Vmpl0, stop));
                }
            }
            let local = self.world.bus.local_apic_mut(number as u8);
            // Nothing is connected to the legacy controllers.
            local.take_external();
            let core = &mut self.cores[number];
            let wakes = local.events().non_maskable && !core.in_nmi
                || local.highest_deliverable().is_some() && core.can_be_woken();
            if wakes {
                self.server.processors_mut().wake(index);
            }
        }
        Ok(())
    }

    /// Waits for an interrupt.
    fn wait(&mut self) -> Result<(), End> {
        let processors = self.server.processors();
        let can_wake = self.cores.iter_mut().any(|core| {
            matches!(processors.state(core.index), RunState::Halted(_)) && core.can_be_woken()
        });
        if !can_wake {
            return Err(End::Stalled);
        }
        self.set_alarm(None);
        wait_for_interrupt();
        Ok(())
    }

    /// Sets this machine's timer for the next moment when something is due: the
    /// guest's timers, or `slice_end`.
    fn set_alarm(&mut self, slice_end: Option<u64>) {
        let moment = self.world.moment();
        let timer = self.world.bus.next_event_ns(moment);
        let due = [timer, slice_end, self.scenario.next_event_ns()].into_iter().flatten().min();
        let Some(due) = due else { return };
        let is_set = self.alarm_ns.is_some_and(|set| set == due);
        if !is_set || due <= moment.nanoseconds {
            let wait = due.saturating_sub(moment.nanoseconds).clamp(1, LONGEST_WAIT_NS);
            local_apic::start_timer(wait as u32);
            self.alarm_ns = Some(due);
        }
    }

    /// Sees to it that the processor has the registers that it should run
    /// with.
    fn enter(&mut self, number: usize) -> Result<(), End> {
        let index = self.cores[number].index;
        let RunState::Runnable(running) = self.server.processors().state(index) else {
            return Err(fault(format!("{index} is to run, but cannot")));
        };
        if self.on_processor != Some(number) {
            self.clear_processor();
        }
        if self.cores[number].loaded != Some(running) {
            self.unload(number);
            self.load(number, running)?;
        }
        if self.on_processor.is_none() {
            self.cores[number].take_processor();
            self.on_processor = Some(number);
        }
        Ok(())
    }

    /// Lets whoever has this machine's processor keep its registers.
    fn clear_processor(&mut self) {
        if let Some(number) = self.on_processor.take() {
            self.cores[number].leave_processor();
        }
    }

    /// Stores a processor's registers in its save area.
    pub(super) fn unload(&mut self, number: usize) {
        if self.on_processor == Some(number) {
            self.clear_processor();
        }
        let core = &mut self.cores[number];
        let Some(running) = core.loaded else { return };
        if let Due::Event(event) = core.due {
            self.server.processors_mut().keep_event(core.index, running, event);
        }
        let mut vmsa = blank_vmsa();
        let gpa = running.save_area.gpa;
        // A save area that is gone meanwhile has nowhere to be stored.
        if self.world.read(gpa, Encryption::Private, vmsa.as_mut_bytes()).is_ok() {
            core.store(&mut vmsa);
            let _ = self.world.write(gpa, Encryption::Private, vmsa.as_bytes());
        }
        core.loaded = None;
        self.world.reverse_map.leave_save_area(gpa);
    }

    fn load(&mut self, number: usize, running: Running) -> Result<(), End> {
        let vmpl = running.vmpl;
        let refuse = |text| End::InvalidSaveArea { vcpu: number as u32, vmpl: vmpl.number(), text };
        let gpa = running.save_area.gpa;
        let world = &mut self.world;
        world.reverse_map.enter_save_area(gpa).map_err(|error| refuse(error.to_string()))?;
        let mut vmsa = blank_vmsa();
        world
            .read(gpa, Encryption::Private, vmsa.as_mut_bytes())
            .map_err(|error| refuse(error.to_string()))?;
        let core = &mut self.cores[number];
        core.load(running, &vmsa, &self.offer).map_err(|error| refuse(error.to_string()))?;
        if let Some(event) = self.server.processors_mut().take_event(core.index) {
            core.due = Due::Event(event);
        }
        let context = self.server.processors().context(core.index);
        let (page, value) =
            context.map_or((None, 0), |context| (context.registered_ghcb, context.ghcb_msr));
        let target = Target { processor: core.index, vmpl };
        core.ghcb_msr = self.scenario.entry(target, page, value);
        self.server.processors_mut().set_ghcb_msr(core.index, core.ghcb_msr);
        let others = self.server.processors().indices().count() > 1;
        core.vcpu.intercept(intercepts(&core.file, others));
        core.vcpu.add_to_time_stamps(core.file.tsc.offset_alone().unwrap_or(0));
        self.save_areas_entered += 1;
        self.world
            .tracer
            .tell(Trace::PROCESSORS, || format!("processor {number} runs {vmpl}, save area {gpa}"));
        Ok(())
    }

    /// Stores the registers of all processors that should not have theirs any
    /// more.
    pub(super) fn settle(&mut self) -> Result<(), End> {
        for number in 0..self.cores.len() {
            let core = &self.cores[number];
            let running = self.server.processors().running(core.index);
            if core.loaded.is_some() && core.loaded != running {
                self.unload(number);
            }
        }
        Ok(())
    }

    /// Delivers what is due, runs the guest and handles the exit.
    fn step(&mut self, number: usize) -> Result<Turn, End> {
        if self.world.nmis_completed & 1 << number != 0 {
            self.world.nmis_completed &= !(1 << number);
            self.cores[number].in_nmi = false;
        }
        self.show_tables(number)?;
        if let Some(exit) = self.deliver(number) {
            return self.exit(number, &exit);
        }
        self.calibrate(number);
        self.offer_interrupt(number);
        let core = &mut self.cores[number];
        let entered = ticks();
        let exit = core.run();
        let level = core.file.vmpl;
        let executed = self.world.marks.add(ticks() - entered);
        self.world.levels.ran(number, level, executed);
        self.accept_interrupt(number);
        self.exit(number, &exit)
    }

    /// Measures, once, what entering and leaving the guest costs: an interrupt
    /// that is pending ends the run before the first instruction.
    fn calibrate(&mut self, number: usize) {
        let core = &mut self.cores[number];
        let is_busy = core.vcpu.is_injecting() || core.has_events_of_its_own();
        if self.world.marks.is_calibrated() || is_busy {
            return;
        }
        core.vcpu.clear_virtual_interrupt();
        local_apic::interrupt_self();
        let entered = ticks();
        core.run();
        self.world.marks.calibrate(ticks() - entered);
        take_interrupts();
    }

    /// Makes the processor use the nested page tables of its level and mode.
    fn show_tables(&mut self, number: usize) -> Result<(), End> {
        let core = &mut self.cores[number];
        let paging = core.paging();
        let world = &mut self.world;
        let tables = world
            .views
            .tables(&mut world.memory, core.file.vmpl, paging)
            .map_err(|error| fault(error.to_string()))?;
        core.vcpu.see(tables);
        Ok(())
    }

    /// Delivers what is due to the guest. Gives an exit that came in between.
    fn deliver(&mut self, number: usize) -> Option<Exit> {
        self.deliver_injection(number);
        let core = &mut self.cores[number];
        match core.due {
            Due::Nothing => {
                let local = self.world.bus.local_apic_mut(number as u8);
                let takes = !core.in_nmi && core.takes_vectors();
                if takes && local.events().non_maskable && local.take_non_maskable() {
                    core.in_nmi = true;
                    core.vcpu.inject(Event::nmi());
                }
            }
            Due::Event(event) => {
                core.due = Due::Nothing;
                core.vcpu.inject(event);
            }
            Due::Communication(code) => {
                let others = self.cores.len() > 1;
                let core = &mut self.cores[number];
                core.due = Due::Nothing;
                let intercepts = intercepts(&core.file, others);
                let mut memory = ProcessorMemory {
                    paging: Reach::new(&self.world.ram, self.world.views.c_bit(), core.vcpu.save())
                        .paging,
                    ram: &mut self.world.ram,
                    reverse_map: &self.world.reverse_map,
                    execution: core.execution(),
                };
                let exception =
                    Exception { vector: ExceptionVector::VMM_COMMUNICATION, error_code: code };
                if deliver_exception(exception, core.vcpu.save(), &mut memory).is_ok() {
                    core.vcpu.leave_interrupt_shadow();
                    return None;
                }
                let events = core.vcpu.events();
                core.vcpu.clear_virtual_interrupt();
                let delivery = communication::deliver(&mut core.vcpu, code, intercepts);
                if core.has_events_of_its_own() {
                    // What is to be delivered, if anything, is #VC.
                    let event = core.vcpu.events().event;
                    core.vcpu.set_events(SavedEvents { event, ..events });
                }
                match delivery {
                    Delivery::Done => {}
                    Delivery::Interrupted(exit) => {
                        core.due = Due::Communication(code);
                        return Some(Exit { interrupted: None, ..exit });
                    }
                    Delivery::Replaced(event, exit) => {
                        if event.vector() == ExceptionVector::PAGE_FAULT.0 {
                            core.vcpu.save().cr2 = exit.info_2;
                        }
                        core.due = Due::Event(event);
                        return self.deliver(number);
                    }
                }
            }
        }
        None
    }

    /// Makes the interrupt pending that the processor would take next.
    fn offer_interrupt(&mut self, number: usize) {
        if self.cores[number].has_events_of_its_own() {
            return;
        }
        if self.cores[number].is_restricted() {
            return self.ring_doorbell(number);
        }
        let vector = self.world.bus.local_apic(number as u8).highest_deliverable();
        let vcpu = &mut self.cores[number].vcpu;
        match vector {
            Some(vector) => vcpu.raise_virtual_interrupt(vector),
            None => vcpu.clear_virtual_interrupt(),
        }
    }

    /// Writes what waits for the processor into its doorbell page, and raises
    /// #HV if that is due. Without a page, events wait.
    fn ring_doorbell(&mut self, number: usize) {
        let core = &mut self.cores[number];
        let context = self.server.processors().context(core.index);
        let Some(page) = context.and_then(|context| context.doorbell) else { return };
        if core.vcpu.is_injecting() {
            // One event at a time: this one comes at the next opportunity.
            return;
        }
        let at = Gpa(page.address());
        let local = self.world.bus.local_apic(number as u8);
        let waiting = Waiting {
            interrupt: local.highest_deliverable(),
            non_maskable: local.events().non_maskable,
        };
        let mut events = [0; 2];
        if waiting == Waiting::default()
            || !self.world.is_shared(page)
            || self.world.read(at, Encryption::Shared, &mut events).is_err()
        {
            return;
        }
        let rung = ring(u16::from_le_bytes(events), waiting);
        if self.world.write(at, Encryption::Shared, &rung.events.to_le_bytes()).is_err() {
            return;
        }
        let local = self.world.bus.local_apic_mut(number as u8);
        if rung.takes_interrupt {
            local.acknowledge();
        }
        if rung.takes_non_maskable {
            local.take_non_maskable();
        }
        if rung.signals {
            core.vcpu.inject(Event::exception(ExceptionVector::HYPERVISOR_INJECTION));
        }
    }

    /// Tells the interrupt controller if the processor has taken it.
    fn accept_interrupt(&mut self, number: usize) {
        if !self.cores[number].takes_vectors() {
            return;
        }
        let local = self.world.bus.local_apic_mut(number as u8);
        if local.highest_deliverable().is_some() && !self.cores[number].vcpu.has_virtual_interrupt()
        {
            let vector = local.acknowledge();
            self.world.tracer.tell(Trace::INTERRUPTS, || {
                format!("processor {number} takes interrupt {:#x}", vector.unwrap_or(0))
            });
        }
    }

    /// Handles an exit.
    fn exit(&mut self, number: usize, exit: &Exit) -> Result<Turn, End> {
        self.exits.count(exit.code);
        let (vmpl, rip) = (self.cores[number].file.vmpl, exit.rip);
        self.world.tracer.tell(Trace::EXITS, || {
            let Exit { code, info_1, info_2, .. } = exit;
            format!("processor {number} {vmpl} RIP {rip:#x}: {code} ({info_1:#x}, {info_2:#x})")
        });
        let core = &self.cores[number];
        let target = Target { processor: core.index, vmpl: core.file.vmpl };
        self.scenario.exit(target, exit.code);
        if exit.code == ExitCode::INTR {
            take_interrupts();
            self.alarm_ns = None;
        }
        // What the exit has cut short is delivered again, unless handling it
        // gives the guest something else first.
        if let Some(event) = exit.interrupted
            && self.cores[number].due == Due::Nothing
        {
            self.cores[number].due = Due::Event(event);
        }
        self.handle(number, exit)
    }

    /// VMGEXIT: the guest asks its hypervisor.
    pub(super) fn vmgexit(&mut self, number: usize) -> Result<Turn, End> {
        let core = &self.cores[number];
        let (index, value) = (core.index, core.ghcb_msr);
        let vmpl = core.file.vmpl;
        let rax = self.cores[number].vcpu.save().rax;
        self.world.levels.asked(number, vmpl);
        let answer = serve(&mut self.scenario, &mut self.server, index, value, &mut self.world);
        if let Next::Stop(stop) = answer.next {
            return Err(stop_end(number, vmpl, stop));
        }
        self.world.tracer.tell(Trace::GHCB, || {
            format!("processor {number} {vmpl}: {value:#x} -> {:#x}", answer.ghcb_msr)
        });
        self.cores[number].ghcb_msr = answer.ghcb_msr;
        if let Next::Run(running) = answer.next {
            self.world.levels.switched(number, vmpl, running.vmpl, rax);
        }
        if answer.next != Next::Resume || answer.evicted.is_some() {
            self.settle()?;
        }
        Ok(match answer.next {
            Next::Resume | Next::Run(_) | Next::Stop(_) => Turn::GoesOn,
            Next::HoldUntilStartup | Next::Idle => Turn::Yields,
        })
    }
}

/// A fault of the simulator.
pub(super) fn fault(text: alloc::string::String) -> End {
    End::Fault { text }
}

fn stop_end(number: usize, vmpl: Vmpl, stop: Stop) -> End {
    let (vcpu, vmpl) = (number as u32, vmpl.number());
    match stop {
        Stop::Terminated(reason) => End::Terminated {
            vcpu,
            vmpl,
            reason_set: reason.set.number(),
            reason_code: reason.code,
            text: alloc::string::String::new(),
        },
        Stop::UnsupportedExit { .. }
        | Stop::UndefinedRequest { .. }
        | Stop::InaccessibleGhcb(_) => End::ProtocolError { vcpu, vmpl, text: stop.to_string() },
    }
}
