//! What the simulator counted during a run.

use abi_simulator::report::Section;
use serde::Serialize;

use crate::table::{self, Cell};
use crate::terminal::{Terminal, Tone};

/// Counts by subject, as the simulator last told them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Statistics {
    sections: Vec<Section>,
}

impl Statistics {
    /// The counts of one report.
    pub(crate) fn new(sections: Vec<Section>) -> Self {
        Self { sections }
    }

    /// Names and counts of a subject; none if it was not told of.
    pub(crate) fn rows(&self, subject: &str) -> impl Iterator<Item = (&str, u64)> {
        let section = self.sections.iter().find(|section| section.name == subject);
        let rows = section.map_or(&[][..], |section| &section.rows);
        rows.iter().map(|row| (row.name.as_str(), row.count))
    }

    /// A table for people, with a heading for each subject.
    pub(crate) fn table(&self, terminal: Terminal) -> String {
        let mut rows = Vec::new();
        for section in &self.sections {
            rows.push(vec![Cell::words(&section.name).tone(Tone::Strong)]);
            rows.extend(section.rows.iter().map(|row| {
                vec![Cell::words(format!("  {}", row.name)), Cell::figure(row.count.to_string())]
            }));
        }
        table::render(&rows, terminal)
    }
}

#[cfg(test)]
mod tests {
    use abi_simulator::report::{Row, Section};

    use super::Statistics;
    use crate::terminal::Terminal;

    fn sample() -> Statistics {
        let row = |name: &str, count| Row { name: name.to_owned(), count };
        let rows = vec![row("CPUID", 12), row("VMGEXIT", 3456)];
        Statistics::new(vec![Section { name: "exits".to_owned(), rows }])
    }

    #[test]
    fn for_people() {
        let table = "exits\n  CPUID      12\n  VMGEXIT  3456";
        assert_eq!(sample().table(Terminal::plain()), table);
        assert_eq!(Statistics::new(Vec::new()).table(Terminal::plain()), "");
    }

    #[test]
    fn for_programs() {
        let sample = sample();
        assert!(sample.rows("exits").eq([("CPUID", 12), ("VMGEXIT", 3456)]));
        assert_eq!(sample.rows("others").count(), 0);
    }

    #[test]
    fn for_machines() -> anyhow::Result<()> {
        let json = serde_json::to_string(&sample())?;
        let expected = r#"[{"name":"exits","rows":[{"name":"CPUID","count":12},{"name":"VMGEXIT","count":3456}]}]"#;
        assert_eq!(json, expected);
        Ok(())
    }
}
