//! `svsm image measure`: the SEV-SNP launch digest of an IGVM file.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use svsm_image::measure::{IdBlockDigest, Measurement, PageList, snp_launch_digest};

use super::loader::Loader;
use super::read::read;
use crate::failure::Verdict;
use crate::table::{self, Cell};
use crate::terminal::{Terminal, Tone};

/// Arguments of `svsm image measure`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm image measure target/svsm/release/svsm.igvm
  cargo svsm image measure other.igvm --vmm kvm --vcpus 4 --cpu-signature 0x00b00f21
  cargo svsm image measure other.igvm --pages

Any project's IGVM file for SEV-SNP will do.")]
pub(crate) struct Arguments {
    /// The IGVM file
    file: PathBuf,
    #[command(flatten)]
    loader: Loader,
    /// List the pages in the order in which they are measured
    #[arg(long)]
    pages: bool,
    /// Write JSON for machines
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The file cannot be read, is malformed, is not for SEV-SNP, or the loader
/// would refuse it.
pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> Result<Verdict> {
    let page_list = if arguments.pages { PageList::Keep } else { PageList::Omit };
    let options = arguments.loader.options(page_list)?;
    let igvm = read(&arguments.file)?;
    let measurement =
        snp_launch_digest(&igvm, &options).with_context(|| arguments.file.display().to_string())?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&for_machines(&measurement, arguments))?
    } else {
        for_people(&measurement, terminal)
    };
    terminal.line(&text)?;
    Ok(Verdict::Good)
}

fn for_people(measurement: &Measurement, terminal: Terminal) -> String {
    let counts: Vec<String> =
        measurement.counts.iter().map(|(kind, pages)| format!("{pages} {kind}")).collect();
    let id_block = match measurement.id_block {
        IdBlockDigest::Absent => Cell::words("none"),
        IdBlockDigest::Agrees => Cell::words("expects this digest").tone(Tone::Good),
        IdBlockDigest::Differs(other) => {
            Cell::words(format!("expects {other}: a launch fails")).tone(Tone::Bad)
        }
    };
    let name = |text: &str| Cell::words(text).tone(Tone::Strong);
    let rows = [
        vec![name("launch digest"), Cell::words(measurement.digest.to_string())],
        vec![name("pages"), Cell::words(counts.join(", "))],
        vec![name("ID block"), id_block],
    ];
    let mut text = table::render(&rows, terminal);
    if !measurement.pages.is_empty() {
        let page = |page: &abi_snp::PageInfo| {
            vec![
                Cell::words(format!("{:#014x}", page.gpa)),
                Cell::words(page.page_type.to_string()),
                Cell::words(page.contents.to_string()),
            ]
        };
        let heading = ["address", "type", "digest of the content"];
        let mut rows = vec![heading.map(name).to_vec()];
        rows.extend(measurement.pages.iter().map(page));
        text.push_str(&format!("\n\n{}", table::render(&rows, terminal)));
    }
    text
}

fn for_machines(measurement: &Measurement, arguments: &Arguments) -> Value {
    let counts: serde_json::Map<String, Value> =
        measurement.counts.iter().map(|(kind, pages)| (kind.to_string(), json!(pages))).collect();
    let id_block = match measurement.id_block {
        IdBlockDigest::Absent => Value::Null,
        IdBlockDigest::Agrees => json!({ "agrees": true }),
        IdBlockDigest::Differs(other) => {
            json!({ "agrees": false, "launch_digest": other.to_string() })
        }
    };
    let mut answer = json!({
        "file": arguments.file.display().to_string(),
        "vmm": arguments.loader.name(),
        "launch_digest": measurement.digest.to_string(),
        "page_counts": counts,
        "id_block": id_block,
    });
    if arguments.pages {
        let page = |page: &abi_snp::PageInfo| {
            json!({
                "gpa": format!("{:#x}", page.gpa),
                "type": page.page_type.to_string(),
                "content_digest": page.contents.to_string(),
            })
        };
        answer["pages"] = measurement.pages.iter().map(page).collect();
    }
    answer
}
