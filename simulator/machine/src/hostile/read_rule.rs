//! Reads rules.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::hostile::error::{ScenarioError, ScenarioProblem};
use crate::hostile::place::Place;
use crate::hostile::read_action::{read_action, read_processor, read_vmpl};
use crate::hostile::read_trigger::read_trigger;
use crate::hostile::rule::{Action, Actor, Occurrences, Progress, Rule};
use crate::hostile::trigger::Trigger;
use crate::hostile::words::{Words, unexpected};

/// Most rules of a scenario: each is looked at for every exit.
pub(super) const MAX_RULES: usize = 256;

/// Reads the rules of a scenario.
pub(super) fn read_rules(text: &str) -> Result<Vec<Rule>, ScenarioError> {
    let mut rules = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let refuse = |problem| ScenarioError { line, problem };
        let words = Words::of(content);
        if words.is_at_end() {
            continue;
        }
        if rules.len() == MAX_RULES {
            return Err(refuse(ScenarioProblem::TooManyRules(MAX_RULES)));
        }
        rules.push(read_rule(line, content, words).map_err(refuse)?);
    }
    Ok(rules)
}

/// `when TRIGGER [on processor N] [at vmpl N] [OCCURRENCES] do ACTION`.
fn read_rule(line: usize, content: &str, mut words: Words<'_>) -> Result<Rule, ScenarioProblem> {
    words.demand("when")?;
    let trigger = read_trigger(&mut words)?;
    let (actor, which) = match trigger {
        // Nobody does it, and it happens once.
        Trigger::Time(_) => (Actor::default(), Occurrences::FIRST),
        _ => (read_actor(&mut words)?, read_occurrences(&mut words)?),
    };
    words.demand("do")?;
    let action = read_action(&mut words)?;
    if let Some(word) = words.peek() {
        return Err(match (&action, word) {
            (Action::Tamper(_), "after") => ScenarioProblem::CannotWait,
            _ => unexpected(word, "the end of the line"),
        });
    }
    check(trigger, &action)?;
    let text = content.split('#').next().unwrap_or_default().trim().to_string();
    Ok(Rule { line, text, trigger, actor, which, action, progress: Progress::default() })
}

fn read_actor(words: &mut Words<'_>) -> Result<Actor, ScenarioProblem> {
    let processor = words.take("on").then(|| read_processor(words)).transpose()?;
    let vmpl = words.take("at").then(|| read_vmpl(words)).transpose()?;
    Ok(Actor { processor, vmpl })
}

/// `every`, `occurrence N`, `from N` or `from N to M`.
fn read_occurrences(words: &mut Words<'_>) -> Result<Occurrences, ScenarioProblem> {
    const WHAT: &str = "occurrence";
    let which = if words.take("occurrence") {
        let number = words.number(WHAT, u64::MAX)?;
        Occurrences { first: number, last: number }
    } else if words.take("from") {
        let first = words.number(WHAT, u64::MAX)?;
        let last = if words.take("to") { words.number(WHAT, u64::MAX)? } else { u64::MAX };
        Occurrences { first, last }
    } else {
        words.take("every");
        Occurrences::ALL
    };
    if which.first == 0 || which.last < which.first {
        return Err(ScenarioProblem::EmptyRange);
    }
    Ok(which)
}

/// Whether the action goes with the trigger.
fn check(trigger: Trigger, action: &Action) -> Result<(), ScenarioProblem> {
    match action {
        Action::Tamper(tampering) if !tampering.fits(trigger) => {
            let action = tampering.words();
            Err(ScenarioProblem::NotTogether { action, trigger: trigger.word() })
        }
        Action::Do { deed, .. }
            if !trigger.has_page() && deed.places().any(|place| matches!(place, Place::It(_))) =>
        {
            Err(ScenarioProblem::NoPage(trigger.word()))
        }
        _ => Ok(()),
    }
}
