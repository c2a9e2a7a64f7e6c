//! One report, one line.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::report::end::End;

/// Something that the hypervisor tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// The guest is launched and about to run its first instruction.
    Started {
        /// Version of the hypervisor.
        simulator: String,
        /// The launch digest, 96 hexadecimal digits.
        launch_digest: String,
        /// Virtual processors of the machine.
        vcpus: u32,
    },
    /// Something that a person should know.
    Note {
        /// One line or more.
        text: String,
    },
    /// Something that [`Trace`](crate::launch::Trace) asked for.
    Trace {
        /// One line.
        text: String,
    },
    /// Counts over the whole run.
    Statistics {
        /// The counts by subject.
        sections: Vec<Section>,
    },
    /// The run is over.
    Ended {
        /// Why.
        end: End,
    },
}

/// Counts of one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The subject.
    pub name: String,
    /// What was counted, in an order worth reading.
    pub rows: Vec<Row>,
}

/// One count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What was counted.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A line that is no report.
#[derive(Debug, thiserror::Error)]
#[error("not a report of the simulator: {0}")]
pub struct LineError(serde_json::Error);

impl Report {
    /// The report as one line of JSON, with the line feed at its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Writing fails on maps whose keys are no strings, and no report has
        // a map.
        let mut line = serde_json::to_string(self).expect("reports consist of texts and numbers");
        line.push('\n');
        line
    }

    /// Reads one line, with or without its line feed.
    ///
    /// # Errors
    ///
    /// [`LineError`] says what the line has that a report has not. The line may
    /// come from firmware of the emulator, which shares the path.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        serde_json::from_str(line).map_err(LineError)
    }
}

#[cfg(test)]
mod tests;
