//! What a scenario says about the guests that it is tried on.
//!
//! It stands in comments of the scenario, so that attack and outcome are read
//! together:
//!
//! ```text
//! # Always expected of linux-7: terminated reason_set 1 reason_code 1
//! # Expected of linux-6.1, 2 processors: powered_off; line 14 unmet;
//! #   console has `No irq handler`; console lacks `second report: got`
//! ```
//!
//! - *Always*: also without `--all`.
//! - The end is its kind in the simulator's reports ([`abi_simulator::report::End`]), and
//!   numbers that fields of the report have; or `time_out`. Where a race decides
//!   there are several, with `or` between them.
//! - Each rule has to be carried out, unless its `line` is `impossible` for the
//!   host or `unmet`.
//! - Lines that go on begin with three spaces behind the `#`.

use std::fmt;

use anyhow::{Context, Result, bail};

use crate::simulation::End;

/// What is expected of one kind of guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Expectation {
    /// The guest, in the scenario's words.
    pub(in super::super) of: String,
    /// Name of its kernel.
    pub(in super::super) kernel: String,
    /// How many processors it has.
    pub(in super::super) processors: u32,
    /// Whether this is tested without `--all`, too.
    pub(in super::super) is_always_tested: bool,
    /// How the run ends.
    pub(in super::super) end: ExpectedEnd,
    /// Rules, by line, that are not simply carried out.
    pub(in super::super) fates: Vec<(usize, Fate)>,
    /// Texts that the console has.
    pub(in super::super) shown: Vec<String>,
    /// Texts that it has not.
    pub(in super::super) not_shown: Vec<String>,
}

/// What becomes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Fate {
    /// The host has done it.
    Done,
    /// The host wanted to, and nothing came of it.
    Impossible,
    /// What the rule waits for did not happen.
    Unmet,
}

/// How a run ends: in one of these ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct ExpectedEnd(Vec<Way>);

/// One way to end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    /// Kind of the report.
    kind: String,
    /// Fields of the report that matter.
    fields: Vec<(String, u64)>,
}

/// The kind of an end that no report tells.
const TIME_OUT: &str = "time_out";

impl Expectation {
    /// What becomes of the rule of this line.
    pub(in super::super) fn fate_of(&self, line: usize) -> Fate {
        let fates = self.fates.iter();
        let fate = fates.filter(|(of, _)| *of == line).map(|(_, fate)| *fate).next();
        fate.unwrap_or(Fate::Done)
    }
}

impl ExpectedEnd {
    /// Whether the guest gets nowhere.
    pub(in super::super) fn is_time_out(&self) -> bool {
        self.0.iter().all(|way| way.kind == TIME_OUT)
    }

    /// Whether the guest comes to the end of its script.
    pub(in super::super) fn is_power_off(&self) -> bool {
        self.0.iter().all(|way| way.kind == "powered_off")
    }

    /// Whether `end` is this one.
    pub(in super::super) fn is_met_by(&self, end: &End) -> bool {
        self.0.iter().any(|way| way.is_met_by(end))
    }
}

impl Way {
    fn is_met_by(&self, end: &End) -> bool {
        let report = match end {
            End::Told(report) => report,
            End::TimeOut(_) => return self.kind == TIME_OUT,
            _ => return false,
        };
        let Ok(report) = serde_json::to_value(report) else { return false };
        let is = |name: &str, value: serde_json::Value| report.get(name) == Some(&value);
        is("kind", self.kind.as_str().into())
            && self.fields.iter().all(|(name, value)| is(name, (*value).into()))
    }
}

impl fmt::Display for ExpectedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, way)| {
            f.write_str(if index == 0 { "" } else { " or " })?;
            way.fmt(f)
        })
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name} {value:#x}"))
    }
}

/// The lines of a scenario that hold its rules; the first is 1.
pub(in super::super) fn rule_lines(scenario: &str) -> Vec<usize> {
    let lines = (1..).zip(scenario.lines());
    let rules = lines.filter(|(_, line)| line.split_whitespace().next() == Some("when"));
    rules.map(|(number, _)| number).collect()
}

/// Everything that the comments of a scenario expect.
///
/// # Errors
///
/// A line that begins like an expectation is none.
pub(in super::super) fn expectations(scenario: &str) -> Result<Vec<Expectation>> {
    let mut found: Vec<(bool, String)> = Vec::new();
    let mut goes_on = false;
    for line in scenario.lines() {
        let always = line.strip_prefix("# Always expected of ");
        let begun = always.or_else(|| line.strip_prefix("# Expected of "));
        if let Some(begun) = begun {
            found.push((always.is_some(), begun.to_owned()));
            goes_on = true;
            continue;
        }
        let more = line.strip_prefix("#   ").filter(|_| goes_on);
        goes_on = more.is_some();
        if let (Some(more), Some((_, text))) = (more, found.last_mut()) {
            text.push(' ');
            text.push_str(more.trim());
        }
    }
    let read = |(always, text): &(bool, String)| {
        expectation(*always, text).with_context(|| format!("expected of {text}"))
    };
    found.iter().map(read).collect()
}

fn expectation(is_always_tested: bool, text: &str) -> Result<Expectation> {
    let (of, outcome) = text.split_once(": ").context("there is no colon")?;
    let (kernel, processors) = match of.split_once(", ") {
        None => (of, 1),
        Some((kernel, rest)) => {
            let number = rest.strip_suffix(" processors").context("`N processors` is missing")?;
            (kernel, number.parse()?)
        }
    };
    let mut parts = outcome.split(';').map(str::trim);
    let mut expected = Expectation {
        of: of.to_owned(),
        kernel: kernel.to_owned(),
        processors,
        is_always_tested,
        end: end(parts.next().unwrap_or_default())?,
        fates: Vec::new(),
        shown: Vec::new(),
        not_shown: Vec::new(),
    };
    for part in parts {
        let text = |begin| part.strip_prefix(begin)?.strip_suffix('`');
        if let Some(text) = text("console has `") {
            expected.shown.push(text.to_owned());
        } else if let Some(text) = text("console lacks `") {
            expected.not_shown.push(text.to_owned());
        } else if let Some((line, fate)) = fate(part) {
            expected.fates.push((line, fate));
        } else {
            bail!("`{part}` is no `line N impossible`, `line N unmet` or `console has/lacks …`");
        }
    }
    Ok(expected)
}

/// Ways to end, with `or` between them.
fn end(text: &str) -> Result<ExpectedEnd> {
    text.split(" or ").map(way).collect::<Result<_>>().map(ExpectedEnd)
}

/// A kind and pairs of field and number.
fn way(text: &str) -> Result<Way> {
    let mut words = text.split_whitespace();
    let kind = words.next().context("there is no end")?.to_owned();
    let mut fields = Vec::new();
    while let Some(name) = words.next() {
        let word = words.next().with_context(|| format!("`{name}` has no number"))?;
        let number = match word.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => word.parse(),
        };
        fields.push((name.to_owned(), number.with_context(|| format!("`{word}`"))?));
    }
    Ok(Way { kind, fields })
}

/// `line N impossible` or `line N unmet`.
fn fate(text: &str) -> Option<(usize, Fate)> {
    let (line, fate) = text.strip_prefix("line ")?.split_once(' ')?;
    let fate = match fate {
        "impossible" => Fate::Impossible,
        "unmet" => Fate::Unmet,
        _ => return None,
    };
    Some((line.parse().ok()?, fate))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use abi_simulator::report;

    use super::*;

    const SCENARIO: &str = "\
# Attack: none.
#   Not a part of what follows.
#
# Always expected of linux-7: terminated reason_set 1 reason_code 0x2
# Expected of linux-6.1, 2 processors: powered_off; line 11 unmet;
#   console has `one or two`
#
#   Nor is this.
# Expected of linux-6.1: time_out; console lacks `x`
when exit any do inject nmi
  when time 1s do inject nmi # later
";

    fn terminated(reason_set: u8, reason_code: u8) -> End {
        let text = String::new();
        End::Told(report::End::Terminated { vcpu: 3, vmpl: 0, reason_set, reason_code, text })
    }

    #[test]
    fn comments_are_read() -> Result<()> {
        let found = expectations(SCENARIO)?;
        let summary = |expected: &Expectation| {
            let Expectation { kernel, processors, is_always_tested, end, .. } = expected;
            format!("{kernel} {processors} {is_always_tested} {end}")
        };
        let summaries: Vec<String> = found.iter().map(summary).collect();
        let expected = [
            "linux-7 1 true terminated reason_set 0x1 reason_code 0x2",
            "linux-6.1 2 false powered_off",
            "linux-6.1 1 false time_out",
        ];
        assert_eq!(summaries, expected);
        assert_eq!(found[1].shown, ["one or two"]);
        assert_eq!(found[2].not_shown, ["x"]);
        assert_eq!(rule_lines(SCENARIO), [10, 11]);
        assert_eq!([10, 11].map(|line| found[1].fate_of(line)), [Fate::Done, Fate::Unmet]);
        Ok(())
    }

    #[test]
    fn what_is_no_expectation_is_refused() {
        for wrong in [
            "linux-7",
            "linux-7: ",
            "linux-7, two processors: powered_off",
            "linux-7, 2: powered_off",
            "linux-7: terminated reason_set",
            "linux-7: terminated reason_set x",
            "linux-7: powered_off; line 3",
            "linux-7: powered_off; line x unmet",
            "linux-7: powered_off; console has `x",
            "linux-7: powered_off;",
            "linux-7: powered_off; console has `x; y`",
        ] {
            assert!(expectations(&format!("# Expected of {wrong}")).is_err(), "{wrong}");
        }
        assert_eq!(expectations("# What is expected of linux-7").ok(), Some(Vec::new()));
    }

    #[test]
    fn ends_are_compared_by_kind_and_fields() -> Result<()> {
        let expected = end("terminated reason_set 1 reason_code 2")?;
        assert!(expected.is_met_by(&terminated(1, 2)));
        assert!(!expected.is_met_by(&terminated(1, 1)));
        assert!(!expected.is_met_by(&End::Told(report::End::Stalled)));
        assert!(end("terminated")?.is_met_by(&terminated(7, 7)));
        assert!(!end("terminated code 2")?.is_met_by(&terminated(1, 2)));
        let time_out = End::TimeOut(Duration::ZERO);
        let either = end("stalled or terminated reason_set 1 reason_code 2")?;
        assert!(either.is_met_by(&terminated(1, 2)) && !either.is_met_by(&terminated(1, 1)));
        assert!(either.is_met_by(&End::Told(report::End::Stalled)));
        assert_eq!(either.to_string(), "stalled or terminated reason_set 0x1 reason_code 0x2");
        assert!(end("time_out")?.is_met_by(&time_out) && !expected.is_met_by(&time_out));
        assert!(!end("time_out")?.is_met_by(&End::Left));
        Ok(())
    }
}
