//! A scenario: rules, and what becomes of them while a guest runs.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use abi_snp::Vmpl;
use abi_snp::ghcb::GuestFrame;

use crate::gpa::Gpa;
use crate::hostile::answer::{Answer, Field};
use crate::hostile::deed::Deed;
use crate::hostile::error::{ScenarioError, ScenarioProblem};
use crate::hostile::hits::{Hit, Hits};
use crate::hostile::occasion::Occasion;
use crate::hostile::read_rule::read_rules;
use crate::hostile::rule::{Action, Meeting, Rule};
use crate::hostile::tampering::Tampering;
use crate::processors::{ProcessorIndex, Target};

/// Deeds that can wait at the same time.
const MAX_WAITING: usize = 1024;

/// How often a rule is told of; further times are only counted.
const NOTES_PER_RULE: u64 = 8;

/// What a rule can name.
pub struct Machine<'a> {
    /// Processors that the guest has.
    pub processors: u32,
    /// Whether the guest has memory at an address.
    pub has_memory: &'a dyn Fn(Gpa) -> bool,
}

/// What a hostile host does to its guest, and how far it has come.
///
/// The default has no rules: its host plays fair.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    rules: Vec<Rule>,
    waiting: Vec<Waiting>,
    notes: Vec<String>,
}

/// A deed that is to be done.
#[derive(Clone, Debug)]
struct Waiting {
    rule: usize,
    exits_left: u64,
    deed: Deed,
}

/// A deed whose time has come. [`Scenario::report`] wants it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDeed {
    rule: usize,
    /// What is to be done.
    pub deed: Deed,
}

/// How often a rule has come true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCount {
    /// The rule, as the scenario has it, with its line.
    pub rule: String,
    /// How often its action was done.
    pub done: u64,
    /// How often it could not be done.
    pub failed: u64,
}

impl Scenario {
    /// Reads a scenario for a machine. The module's documentation has the
    /// language.
    ///
    /// # Errors
    ///
    /// The first line that makes no sense, or none on this machine.
    pub fn parse(text: &str, machine: &Machine<'_>) -> Result<Self, ScenarioError> {
        let rules = read_rules(text)?;
        for rule in &rules {
            let refuse = |problem| ScenarioError { line: rule.line, problem };
            let count = machine.processors;
            if let Some(number) = rule.processors().find(|number| *number >= count) {
                return Err(refuse(ScenarioProblem::NoProcessor { number, count }));
            }
            if let Some(gpa) = rule.addresses().find(|gpa| !(machine.has_memory)(*gpa)) {
                return Err(refuse(ScenarioProblem::NoMemory(gpa)));
            }
        }
        Ok(Self { rules, waiting: Vec::new(), notes: Vec::new() })
    }

    /// A virtual processor has exited, and what it runs then.
    pub fn exit(&mut self, target: Target, code: abi_svm::ExitCode) {
        for waiting in &mut self.waiting {
            waiting.exits_left = waiting.exits_left.saturating_sub(1);
        }
        self.meet(target, Occasion::Exit(code));
    }

    /// A save area was loaded, whose level has registered this GHCB page and
    /// has this in its GHCB MSR. Returns what the register shall hold.
    pub fn entry(&mut self, target: Target, page: Option<GuestFrame>, ghcb_msr: u64) -> u64 {
        let page = page.map(|frame| Gpa(frame.address()));
        let hits = self.meet(target, Occasion::Entry(page));
        let answer = Answer::of_word(Field::GhcbMsr, ghcb_msr);
        self.tamper(&hits, answer).get(Field::GhcbMsr).unwrap_or(ghcb_msr)
    }

    /// So many nanoseconds have gone by.
    pub fn advance(&mut self, now_ns: u64) {
        let boot = Target { processor: ProcessorIndex::BOOT, vmpl: Vmpl::Vmpl0 };
        for number in 0..self.rules.len() {
            if self.rules[number].is_due(now_ns) {
                self.plan(number, boot, None);
            }
        }
    }

    /// When the next rule acts that waits for a time.
    #[must_use]
    pub fn next_event_ns(&self) -> Option<u64> {
        self.rules.iter().filter_map(Rule::due_ns).min()
    }

    /// A deed that is to be done before a processor runs again. What became of
    /// it goes to [`Self::report`].
    pub fn take_due(&mut self) -> Option<DueDeed> {
        let next = self.waiting.iter().position(|waiting| waiting.exits_left == 0)?;
        let Waiting { rule, deed, .. } = self.waiting.remove(next);
        Some(DueDeed { rule, deed })
    }

    /// A deed was done, or why it could not be.
    pub fn report(&mut self, due: &DueDeed, result: Result<(), String>) {
        match result {
            Ok(()) => self.note_done(due.rule, due.deed.to_string()),
            Err(reason) => self.note_failed(due.rule, &reason),
        }
    }

    /// What happened since the last time, one line each.
    pub fn take_notes(&mut self) -> Vec<String> {
        core::mem::take(&mut self.notes)
    }

    /// How often each rule has come true, in their order.
    pub fn counts(&self) -> impl Iterator<Item = RuleCount> + '_ {
        self.rules.iter().map(|rule| RuleCount {
            rule: format!("line {}: {}", rule.line, rule.text),
            done: rule.progress.done,
            failed: rule.progress.failed,
        })
    }

    /// Something happens: plans deeds, and returns how its answer is to be
    /// tampered with.
    pub(super) fn meet(&mut self, target: Target, occasion: Occasion) -> Hits {
        let mut hits = Hits::new(target, occasion);
        for number in 0..self.rules.len() {
            let rule = &mut self.rules[number];
            let meeting = rule.meets(target, occasion);
            match (&rule.action, meeting) {
                (_, Meeting::No) => {}
                (Action::Tamper(tampering), Meeting::Acts) => {
                    hits.push(Hit::Acts { rule: number, tampering: tampering.clone() });
                }
                (Action::Tamper(Tampering::Replay), Meeting::Watches) => {
                    hits.push(Hit::Watches { rule: number });
                }
                (Action::Do { .. }, Meeting::Acts) => self.plan(number, target, occasion.page()),
                (_, Meeting::Watches) => {}
            }
        }
        hits
    }

    /// Plans the deed of a rule.
    fn plan(&mut self, number: usize, target: Target, page: Option<Gpa>) {
        let Action::Do { deed, after_exits } = &self.rules[number].action else { return };
        let after_exits = *after_exits;
        match deed.resolve(target, page) {
            Some(deed) => self.wait_for(number, after_exits, deed),
            None => self.note_failed(number, "the guest has named no page"),
        }
    }

    /// Lets a deed of a rule wait for some exits.
    pub(super) fn wait_for(&mut self, rule: usize, exits_left: u64, deed: Deed) {
        if self.waiting.len() == MAX_WAITING {
            self.note_failed(rule, "too many deeds wait already");
            return;
        }
        self.waiting.push(Waiting { rule, exits_left, deed });
    }

    /// Changes an answer as `hits` want.
    pub(super) fn tamper(&mut self, hits: &Hits, honest: Answer) -> Answer {
        let mut answer = honest.clone();
        for hit in hits.iter() {
            match hit {
                Hit::Acts { rule, tampering } => {
                    self.tamper_once(hits, *rule, tampering, &mut answer);
                    if *tampering == Tampering::Replay {
                        self.rules[*rule].progress.earlier = Some(honest.clone());
                    }
                }
                Hit::Watches { rule } => {
                    self.rules[*rule].progress.earlier = Some(honest.clone());
                }
            }
        }
        answer
    }

    fn tamper_once(
        &mut self,
        hits: &Hits,
        rule: usize,
        tampering: &Tampering,
        answer: &mut Answer,
    ) {
        let change = match tampering {
            Tampering::Set(field, value) => set(answer, *field, *value),
            Tampering::Xor(field, bits) => {
                let before = answer.get(*field).unwrap_or(0);
                set(answer, *field, before ^ bits)
            }
            Tampering::Corrupt { offset, bits } => {
                let place = answer.page.iter_mut().skip(*offset);
                place.zip(bits).for_each(|(byte, bits)| *byte ^= bits);
                format!("{} bytes of the response corrupted", bits.len())
            }
            Tampering::Replay => match self.rules[rule].progress.earlier.clone() {
                Some(earlier) => {
                    *answer = earlier;
                    String::from("the answer before is replayed")
                }
                None => {
                    return self.note_failed(rule, "there is no answer to replay yet");
                }
            },
            // These change what is done, not what is answered.
            Tampering::Ask(..) | Tampering::Deny | Tampering::Ignore | Tampering::Delay(_) => {
                return;
            }
        };
        self.note_done(rule, format!("{change} ({hits})"));
    }

    /// A rule has done something.
    pub(super) fn note_done(&mut self, rule: usize, what: String) {
        let progress = &mut self.rules[rule].progress;
        progress.done = progress.done.saturating_add(1);
        let times = progress.done;
        self.note(rule, times, &what);
    }

    /// A rule could not do what it was to do.
    fn note_failed(&mut self, rule: usize, why: &str) {
        let progress = &mut self.rules[rule].progress;
        progress.failed = progress.failed.saturating_add(1);
        let times = progress.failed;
        self.note(rule, times, &format!("not possible: {why}"));
    }

    fn note(&mut self, rule: usize, times: u64, what: &str) {
        let line = self.rules[rule].line;
        let last = if times == NOTES_PER_RULE { "; further times are only counted" } else { "" };
        if times <= NOTES_PER_RULE {
            self.notes.push(format!("hostile host, line {line}: {what}{last}"));
        }
    }
}

/// Sets a word of an answer, and tells of it.
fn set(answer: &mut Answer, field: Field, value: u64) -> String {
    let before = answer.get(field);
    answer.set(field, value);
    match before {
        Some(before) => format!("{field} {before:#x} becomes {value:#x}"),
        None => format!("{field} {value:#x} is added"),
    }
}
