//! The server: one exit of a guest at a time.

use abi_snp::ghcb::{GuestFrame, MsrOperation, MsrRequest, MsrResponse, SaveArea};

use crate::ghcb::answer::{Answer, Next, Stop};
use crate::ghcb::completion;
use crate::ghcb::configuration::Configuration;
use crate::ghcb::counts::{Counts, EventKind, Refused};
use crate::ghcb::host::{Host, PageStates};
use crate::ghcb::msr_protocol::{self, MsrServed};
use crate::ghcb::page_access;
use crate::ghcb::page_protocol::PageProtocol;
use crate::ghcb::served::Served;
use crate::guest_memory::GuestMemory;
use crate::processors::{
    ProcessorCountError, ProcessorDefaults, ProcessorIndex, Processors, RunState, StartUp,
};
use abi_snp::SevFeatures;

/// The hypervisor, as a guest sees it through VMGEXIT.
#[derive(Clone, Debug)]
pub struct Server {
    configuration: Configuration,
    processors: Processors,
    /// What the guest has set with *AP Jump Table*, 0 before.
    jump_table: u64,
    counts: Counts,
}

/// What was done for an exit: whether it was refused, and who has to leave a
/// save area, or why there is nothing more to do.
type Handled = Result<(Refused, Option<ProcessorIndex>), Stop>;

impl Server {
    /// A server for a guest with `processors` virtual processors, none of which
    /// has a save area yet ([`Processors::launch`]). Save areas may have
    /// `supported_features`.
    ///
    /// # Errors
    ///
    /// The number of processors is not possible.
    pub fn new(
        configuration: Configuration,
        processors: u32,
        supported_features: SevFeatures,
    ) -> Result<Self, ProcessorCountError> {
        let first_value = MsrResponse::SevInformation(configuration.information()).encode();
        let defaults = ProcessorDefaults { supported_features, ghcb_msr: first_value };
        Ok(Self {
            configuration,
            processors: Processors::new(processors, defaults)?,
            jump_table: 0,
            counts: Counts::default(),
        })
    }

    /// Serves the exit of `processor`, whose GHCB MSR holds `ghcb_msr`.
    ///
    /// # Panics
    ///
    /// If the processor does not execute, by [`Processors::state`]: then the
    /// caller has let something run that should not.
    pub fn exit<H: Host>(
        &mut self,
        processor: ProcessorIndex,
        ghcb_msr: u64,
        host: &mut H,
    ) -> Answer {
        let before = self.processors.running(processor);
        assert!(
            matches!(self.processors.state(processor), RunState::Runnable(_)),
            "{processor} exits, but it should not have run"
        );
        self.processors.exiting(processor).ghcb_msr = ghcb_msr;

        let (stop, evicted) = match self.serve(processor, ghcb_msr, host) {
            Ok(evicted) => (None, evicted),
            Err(stop) => (Some(stop), None),
        };
        let next = match (stop, self.processors.state(processor)) {
            (Some(stop), _) => Next::Stop(stop),
            (None, RunState::Runnable(running)) if Some(running) == before => Next::Resume,
            (None, RunState::Runnable(running)) => Next::Run(running),
            (None, RunState::WaitsForStartup(_)) => Next::HoldUntilStartup,
            (None, RunState::NotCreated | RunState::Halted(_)) => Next::Idle,
        };
        let context = self.processors.context(processor);
        Answer { ghcb_msr: context.map_or(ghcb_msr, |context| context.ghcb_msr), next, evicted }
    }

    /// A start-up interrupt (SIPI) arrives at `processor`. `None` if it does
    /// not wait for one; otherwise the answer to its last exit.
    pub fn start_up<H>(&mut self, processor: ProcessorIndex, host: &mut H) -> Option<Answer>
    where
        H: GuestMemory + PageStates,
    {
        let StartUp::Starts(completion) = self.processors.start_up(processor) else {
            return None;
        };
        let context = self.processors.exiting(processor);
        let next = match completion::deliver(completion, context, host) {
            Ok(()) => Next::Resume,
            Err(stop) => Next::Stop(stop),
        };
        Some(Answer { ghcb_msr: context.ghcb_msr, next, evicted: None })
    }

    /// The account of the processors.
    #[must_use]
    pub const fn processors(&self) -> &Processors {
        &self.processors
    }

    /// The account of the processors, to tell it what else happens to them.
    /// Start-up interrupts go to [`Self::start_up`] instead, for they can have
    /// an answer.
    pub const fn processors_mut(&mut self) -> &mut Processors {
        &mut self.processors
    }

    /// How often what was asked for.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    fn serve<H: Host>(
        &mut self,
        processor: ProcessorIndex,
        ghcb_msr: u64,
        host: &mut H,
    ) -> Result<Option<ProcessorIndex>, Stop> {
        let mut kind = EventKind::of_msr(MsrOperation::of(ghcb_msr));
        let handled = match MsrRequest::decode(ghcb_msr) {
            Err(error) => Err(Stop::UndefinedRequest { value: ghcb_msr, error }),
            Ok(request) => match msr_protocol::serve(
                processor,
                request,
                &self.configuration,
                &mut self.processors,
                host,
            ) {
                MsrServed::Response(response) => {
                    self.processors.exiting(processor).ghcb_msr = response.encode();
                    Ok((refused(response), None))
                }
                MsrServed::Later => Ok((Refused::No, None)),
                MsrServed::Stop(stop) => Err(stop),
                MsrServed::InPage(frame) => match page_access::load(frame, host) {
                    Err(stop) => Err(stop),
                    Ok(content) => {
                        kind = EventKind::of_page(content.save_area.exit_code);
                        self.serve_page(processor, frame, &content, host)
                    }
                },
            },
        };
        let refused = match &handled {
            Ok((refused, _)) => *refused,
            // The guest gets what it has asked for.
            Err(Stop::Terminated(_)) => Refused::No,
            Err(_) => Refused::Yes,
        };
        self.counts.record(kind, refused);
        handled.map(|(_, evicted)| evicted)
    }

    fn serve_page<H: Host>(
        &mut self,
        processor: ProcessorIndex,
        frame: GuestFrame,
        content: &page_access::PageContent,
        host: &mut H,
    ) -> Handled {
        let mut protocol = PageProtocol {
            configuration: self.configuration,
            processors: &mut self.processors,
            jump_table: &mut self.jump_table,
        };
        let store = |answer: &SaveArea, refused, evicted, host: &mut H| {
            page_access::store(frame, answer, host).map(|()| (refused, evicted))
        };
        match protocol.serve(processor, frame, content, host) {
            Ok(Served::Answer(answer)) => store(&answer, Refused::No, None, host),
            Ok(Served::Evicted(answer, other)) => store(&answer, Refused::No, Some(other), host),
            Ok(Served::Later) => Ok((Refused::No, None)),
            Ok(Served::Stop(stop)) => Err(stop),
            Err(refusal) => store(&refusal.answer(), Refused::Yes, None, host),
        }
    }
}

/// Whether an answer by the MSR is a refusal.
const fn refused(response: MsrResponse) -> Refused {
    match response {
        MsrResponse::PageState { error: 1.. } | MsrResponse::RunVmpl { error: 1.. } => Refused::Yes,
        _ => Refused::No,
    }
}
