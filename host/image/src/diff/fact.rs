//! Facts about a file that are compared by name.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::inspect::{Content, Context, Launch, Report};

/// A fact that is not the same in both files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactChange {
    /// What part of the file it is about.
    pub section: &'static str,
    /// What it is about.
    pub subject: String,
    /// What the old file says; `None` if it says nothing.
    pub old: Option<String>,
    /// What the new file says; `None` if it says nothing.
    pub new: Option<String>,
}

/// The sections in the order that they are told in.
const SECTIONS: [&str; 12] = [
    "file",
    "platform",
    "policy",
    "required memory",
    "relocation",
    "parameter area",
    "processor",
    "boot block",
    "ID block",
    "VBS measurement",
    "launch digest",
    "passed over",
];

/// Section, subject, and number among those of the same section and subject.
type Key = (&'static str, String, u32);

/// The facts that differ, by section: in each those of `old` in its order, then
/// those that are new.
pub(super) fn changes(old: &Report, new: &Report) -> Vec<FactChange> {
    let (old, new) = (facts(old, new), facts(new, old));
    let values: HashMap<&Key, &String> = new.iter().map(|(key, value)| (key, value)).collect();
    let known: HashSet<&Key> = old.iter().map(|(key, _)| key).collect();
    let changed = old.iter().filter_map(|(key, value)| {
        let new = values.get(key).copied();
        (new != Some(value)).then(|| change(key, Some(value), new))
    });
    let added = new.iter().filter(|(key, _)| !known.contains(key));
    let added = added.map(|(key, value)| change(key, None, Some(value)));
    let mut changes: Vec<FactChange> = changed.chain(added).collect();
    changes.sort_by_key(|change| SECTIONS.iter().position(|section| *section == change.section));
    changes
}

fn change(key: &Key, old: Option<&String>, new: Option<&String>) -> FactChange {
    let (section, subject, _) = key.clone();
    FactChange { section, subject, old: old.cloned(), new: new.cloned() }
}

/// Facts under construction.
#[derive(Default)]
struct Facts {
    list: Vec<(Key, String)>,
    counts: HashMap<(&'static str, String), u32>,
}

impl Facts {
    fn add(&mut self, section: &'static str, subject: impl Into<String>, value: impl Into<String>) {
        let subject = subject.into();
        let count = self.counts.entry((section, subject.clone())).or_default();
        self.list.push(((section, subject, *count), value.into()));
        *count = count.saturating_add(1);
    }
}

/// Everything that a report says, except about memory; `other` is the report
/// that it will be compared with.
fn facts(report: &Report, other: &Report) -> Vec<(Key, String)> {
    let mut facts = Facts::default();
    platform_facts(report, &mut facts);
    memory_facts(report, &mut facts);
    context_facts(report, other, &mut facts);
    boot_facts(report, &mut facts);
    identity_facts(report, &mut facts);
    for (index, header) in report.skipped_headers.iter().enumerate() {
        let text = header.text.as_deref().unwrap_or("");
        let value = format!("{} bytes {text} with SHA-256 {}", header.size, header.sha256);
        facts.add("passed over", format!("header {index} of type {}", header.header_type), value);
    }
    facts.list
}

fn platform_facts(report: &Report, facts: &mut Facts) {
    let file = &report.file;
    facts.add("file", "format version", file.format_version.to_string());
    facts.add("file", "architecture", file.architecture);
    for platform in &report.platforms {
        let shared = platform.shared_boundary;
        let value = format!(
            "mask {}, highest VTL {}, shared from {shared}",
            platform.mask, platform.highest_vtl
        );
        facts.add("platform", platform.name.clone(), value);
    }
    for policy in &report.policies {
        let value = [vec![policy.value.to_string()], policy.meaning.clone()].concat().join(", ");
        facts.add("policy", policy.platforms.join(" "), value);
    }
}

fn memory_facts(report: &Report, facts: &mut Facts) {
    for memory in &report.required_memory {
        let protectable = if memory.vtl2_protectable { ", protectable by VTL 2" } else { "" };
        let subject = format!("{} for {}", memory.first, memory.platforms.join(" "));
        facts.add("required memory", subject, format!("{}{protectable}", memory.size));
    }
    for relocation in &report.relocations {
        let subject = format!("{} for {}", relocation.gpa, relocation.platforms.join(" "));
        facts.add("relocation", subject, format!("{}, {}", relocation.size, relocation.meaning));
    }
    for area in &report.parameter_areas {
        let gpa = area.gpa.map_or("nowhere".to_owned(), |gpa| gpa.to_string());
        let mut value = format!("{} at {gpa} for {}", area.size, area.platforms.join(" "));
        if area.initial_data.0 != 0 {
            value.push_str(", with data of the file");
        }
        for parameter in &area.parameters {
            value.push_str(&format!(", {} at {:#x}", parameter.name, parameter.offset));
        }
        facts.add("parameter area", area.index.to_string(), value);
    }
}

fn boot_facts(report: &Report, facts: &mut Facts) {
    for boot in &report.boot_blocks {
        let place = format!("{} for {}", boot.gpa, boot.platforms.join(" "));
        match &boot.content {
            Content::Broken { problem } => facts.add("boot block", place, problem.clone()),
            Content::Read { parts, .. } => {
                for part in parts {
                    let what = [part.kind.as_str(), part.name.as_str()];
                    let subject = format!("{} ({place})", what.join(" ").trim_end());
                    let value = format!(
                        "{} at {}, {} used, {}",
                        part.size, part.gpa, part.content_size, part.access
                    );
                    facts.add("boot block", subject, value);
                }
            }
        }
    }
}

/// Registers one by one where both files have the processor, otherwise that it
/// is there and where it starts.
fn context_facts(report: &Report, other: &Report, facts: &mut Facts) {
    let others: HashSet<String> = other.contexts.iter().map(processor).collect();
    for context in &report.contexts {
        let name = processor(context);
        let start = context.registers.iter().find(|r| ["RIP", "PC"].contains(&r.name.as_str()));
        if !others.contains(&name) {
            let start = start.map(|r| r.value.as_str()).unwrap_or("an unstated address");
            facts.add("processor", name, format!("starts at {start}"));
            continue;
        }
        if let Some(gpa) = context.gpa {
            facts.add("processor", format!("{name}: VMSA address"), gpa.to_string());
        }
        for register in &context.registers {
            let value = match register.meaning.as_str() {
                "" => register.value.clone(),
                meaning => format!("{} ({meaning})", register.value),
            };
            facts.add("processor", format!("{name}: {}", register.name), value);
        }
    }
}

/// What tells a processor's state from others.
fn processor(context: &Context) -> String {
    let vtl = context.vtl.map(|vtl| format!(" VTL {vtl}")).unwrap_or_default();
    format!("{}{vtl} on {}", context.vp_index, context.platforms.join(" "))
}

fn identity_facts(report: &Report, facts: &mut Facts) {
    if let Some(identity) = &report.identity {
        let mut row = |name: &str, value: String| facts.add("ID block", name, value);
        row("launch digest", identity.launch_digest.clone());
        row("family ID", identity.family_id.clone());
        row("image ID", identity.image_id.clone());
        row("security version", identity.guest_svn.to_string());
        row("ID key digest", identity.id_key_digest.clone());
        row("signed by ID key", identity.id_block_signature.to_string());
        row("signature", identity.signature.clone());
        if let Some(digest) = &identity.author_key_digest {
            row("author key digest", digest.clone());
        }
        if let Some(state) = identity.id_key_signature {
            row("ID key signed by author", state.to_string());
        }
        if let Some(signature) = &identity.author_signature {
            row("author's signature", signature.clone());
        }
    }
    for vbs in &report.vbs_measurements {
        let value = format!(
            "version {}, product {}, module {}, security version {}, policy {}, algorithms {} \
             and {}, digest {}, signature {}",
            vbs.version,
            vbs.product_id,
            vbs.module_id,
            vbs.security_version,
            vbs.policy_flags,
            vbs.digest_algorithm,
            vbs.signing_algorithm,
            vbs.digest,
            vbs.signature_sha256,
        );
        facts.add("VBS measurement", vbs.platforms.join(" "), value);
    }
    let launch = match &report.launch {
        Some(Launch::Digest { digest, .. }) => digest.clone(),
        Some(Launch::Problem(problem)) => format!("none: {problem}"),
        None => return,
    };
    facts.add("launch digest", "snp", launch);
}
