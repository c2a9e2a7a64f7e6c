//! A hostile host: attacks by the hypervisor on its guest, from a text.
//!
//! A *scenario* is a list of rules, each a line: when something happens, do
//! something about it. The hypervisor goes on serving its guest, and asks the
//! [`Scenario`] at the points where a real one could interfere:
//!
//! | where | what for |
//! |---|---|
//! | [`serve`] instead of [`Server::exit`](crate::ghcb::Server::exit) | changes requests, what the machine says, and answers |
//! | [`Scenario::exit`] after each exit, [`Scenario::entry`] after a save area was loaded, [`Scenario::advance`] as time goes by | rules that wait for these |
//! | [`Scenario::take_due`] before each entry | [`Deed`]s: what the host does to the machine, asked or not |
//!
//! Nothing here breaks a rule of the platform: the host can do what a host on
//! real hardware can. It writes to shared memory only, it cannot change a
//! save area, and what the reverse map forbids it forbids here. Whoever carries
//! out a deed says so with [`Scenario::report`].
//!
//! What a rule has done is in [`Scenario::take_notes`] and
//! [`Scenario::counts`], so that a test can tell whether an attack took place.
//!
//! # The language
//!
//! ```text
//! when TRIGGER [on processor N] [at vmpl N] [OCCURRENCES] do ACTION
//! ```
//!
//! One rule a line; `#` begins a comment. Rules are heard in their order, and
//! one that changes an answer sees what those before it have made of it.
//! Numbers are decimal, or hexadecimal behind `0x`; `_` may stand between
//! digits. Names of requests and exits are those that statistics have, in small
//! letters with hyphens for spaces.
//!
//! | trigger | holds when |
//! |---|---|
//! | `time T` | so much of the machine's time has gone by, once: `500ms`, `2s`, `10us`, `7ns` |
//! | `exit NAME\|NUMBER\|any` | a processor exits; the emulated processor's own exits, [`abi_svm::ExitCode`] |
//! | `enter` | a processor has loaded a save area: at its start, after a wait, when its level changes |
//! | `msr-request NAME\|NUMBER\|any` | it asks by the GHCB MSR |
//! | `page-request NAME\|NUMBER\|any` | it asks by the GHCB page |
//! | `cpuid LEAF\|any [subleaf N]` | it is told what CPUID says, by either protocol |
//! | `read-msr N\|any`, `write-msr N\|any` | it asks for an access to a register |
//! | `read-port N\|any`, `write-port N\|any [value V]` | it asks for an access to a port |
//! | `page-state private\|shared\|split\|join\|any [GPA [to GPA]]` | it asks for a change of a page that touches these addresses, by either protocol |
//! | `guest-request` | it sends a message to the security processor |
//!
//! | occurrences | which ones count |
//! |---|---|
//! | nothing, or `every` | all |
//! | `occurrence N` | one; the first is 1 |
//! | `from N`, `from N to M` | all from one on; up to another |
//!
//! | tampering | what it does | when |
//! |---|---|---|
//! | `set FIELD V`, `xor FIELD V` | changes the answer | `cpuid`: `eax`, `ebx`, `ecx`, `edx`; `read-msr`, `read-port`: `value`; `guest-request`: `status`; `msr-request`, `enter`: `ghcb-msr`; `page-request`: `rax`, `rbx`, `rcx`, `rdx`, `exit-info-1`, `exit-info-2` |
//! | `replay` | answers what the host would have answered the time before, with the page of a response | those, but for `enter` |
//! | `corrupt OFFSET BITS` | flips bits in the page of a response | `guest-request` |
//! | `ask FIELD V` | serves the request as if a word of it had been another | `msr-request`, `page-request` |
//! | `deny` | refuses | `page-state`, `read-msr`, `write-msr` |
//! | `ignore` | does nothing and says nothing of it; requests as a whole are not even answered | `page-state`, `write-msr`, `write-port`, `guest-request`, `msr-request`, `page-request` |
//! | `delay N exits` | says that it is done, and does it so many exits later | `page-state` |
//!
//! | deed, at any trigger | what it does |
//! |---|---|
//! | `inject interrupt V`, `inject nmi`, `inject exception V [code C]`, each with `[into processor N]` | delivers an event before the next instruction, interrupts on or off |
//! | `remap GPA`, `map-back GPA` | maps a page of the guest to another one's memory, and back; all 2 MiB of a large page |
//! | `take GPA`, `give GPA` | takes a page of 4 KiB from the guest; gives it one, which it has not accepted |
//! | `swap GPA GPA` | swaps the content of two shared pages |
//! | `write GPA BYTES` | writes to shared memory |
//! | `start processor N vmpl N save-area GPA` | lets a processor run the save area in a page, whoever it was made for |
//! | `run processor N vmpl N` | lets a processor run another of its levels than it should |
//!
//! A deed is done before the next entry of any processor; `after N exits`
//! behind it puts it off. Bits and bytes are pairs of hexadecimal digits. A
//! `GPA` can be `it` or `it+N`: the page that the guest has named at `enter`
//! and `page-request` (its GHCB page), `page-state` (the page),
//! `guest-request` (the page for the response) and `write-port` (the page with
//! the number that it writes).
//!
//! # What is not there
//!
//! - Tampering with the launch, which is the measurement's concern.
//! - A change between two reads of the guest with no exit between them:
//!   a deed is done between two instructions, but only where the guest exits.
//! - Answers that come late (*Run VMPL*, *AP Reset Hold*) are tampered with at
//!   `enter`, not at the request.

mod answer;
mod deed;
mod error;
mod exchange;
mod hits;
mod host;
mod occasion;
mod place;
mod read_action;
mod read_rule;
mod read_trigger;
mod rule;
mod scenario;
mod shared_memory;
mod tampering;
mod trigger;
mod vocabulary;
mod words;

pub use deed::{Deed, Injection};
pub use error::{ScenarioError, ScenarioProblem};
pub use exchange::serve;
pub use scenario::{DueDeed, Machine, RuleCount, Scenario};
pub use shared_memory::{NotShared, swap_shared, write_shared};

#[cfg(test)]
mod tests;
