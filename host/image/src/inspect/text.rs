//! A report as text.

use std::fmt;

use super::boot_block::{Boot, Content};
use super::context::Context;
use super::identity::Identity;
use super::launch::Launch;
use super::report::Report;
use super::table::{Align, Table};
use super::vbs_measurement::VbsMeasurement;

const LEFT: (&str, Align) = ("", Align::Left);
const RIGHT: (&str, Align) = ("", Align::Right);

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_file(f)?;
        self.write_platforms(f)?;
        self.write_memory(f)?;
        self.write_parameters(f)?;
        self.contexts.iter().try_for_each(|context| write_context(f, context))?;
        self.boot_blocks.iter().try_for_each(|boot| write_boot(f, boot))?;
        if let Some(identity) = &self.identity {
            write_identity(f, identity)?;
        }
        self.vbs_measurements.iter().try_for_each(|vbs| write_vbs(f, vbs))?;
        if let Some(launch) = &self.launch {
            write_launch(f, launch)?;
        }
        self.write_skipped(f)
    }
}

impl Report {
    fn write_file(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        writeln!(
            f,
            "IGVM file, format version {}, {}, {}",
            file.format_version, file.architecture, file.size
        )?;
        writeln!(f, "  SHA-256 {}", file.sha256)
    }

    fn write_platforms(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            ("name", Align::Left),
            ("mask", Align::Right),
            ("highest VTL", Align::Right),
            ("shared from", Align::Left),
        ]);
        for platform in &self.platforms {
            let shared = match platform.shared_boundary.0 {
                0 => "as the guest says".to_owned(),
                _ => platform.shared_boundary.to_string(),
            };
            table.row([
                platform.name.clone(),
                platform.mask.to_string(),
                platform.highest_vtl.to_string(),
                shared,
            ]);
        }
        write!(f, "\nPlatforms\n{table}")?;
        if !self.policies.is_empty() {
            let mut table = Table::new(&[LEFT, RIGHT, LEFT]);
            for policy in &self.policies {
                let mut words = policy.meaning.iter().cloned();
                let first = words.next().unwrap_or_default();
                table.row([policy.platforms.join(" "), policy.value.to_string(), first]);
                words.for_each(|word| table.row([String::new(), String::new(), word]));
            }
            write!(f, "\nPolicy\n{table}")?;
        }
        Ok(())
    }

    fn write_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            ("first", Align::Right),
            ("last", Align::Right),
            ("size", Align::Right),
            ("kind", Align::Left),
            ("platforms", Align::Left),
        ]);
        for region in &self.regions {
            table.row([
                region.first.to_string(),
                region.last.to_string(),
                region.size.to_string(),
                region.kind.clone(),
                region.platforms.join(" "),
            ]);
        }
        write!(f, "\nMemory\n{table}")?;

        let mut table =
            Table::new(&[("kind", Align::Left), ("pages", Align::Right), ("size", Align::Right)]);
        for total in &self.totals {
            table.row([total.kind.clone(), total.pages.to_string(), total.size.to_string()]);
        }
        write!(f, "\nTotals\n{table}")?;

        if !self.required_memory.is_empty() {
            let mut table = Table::new(&[RIGHT, RIGHT, LEFT, LEFT]);
            for memory in &self.required_memory {
                let protectable = if memory.vtl2_protectable { "protectable by VTL 2" } else { "" };
                table.row([
                    memory.first.to_string(),
                    memory.size.to_string(),
                    memory.platforms.join(" "),
                    protectable.to_owned(),
                ]);
            }
            write!(f, "\nRequired memory\n{table}")?;
        }
        if !self.relocations.is_empty() {
            let mut table = Table::new(&[RIGHT, RIGHT, LEFT, LEFT]);
            for relocation in &self.relocations {
                table.row([
                    relocation.gpa.to_string(),
                    relocation.size.to_string(),
                    relocation.platforms.join(" "),
                    relocation.meaning.clone(),
                ]);
            }
            write!(f, "\nRelocation\n{table}")?;
        }
        Ok(())
    }

    fn write_parameters(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parameter_areas.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&[
            ("area", Align::Right),
            ("address", Align::Right),
            ("size", Align::Right),
            ("platforms", Align::Left),
            ("filled with", Align::Left),
        ]);
        for area in &self.parameter_areas {
            let mut content: Vec<String> =
                area.parameters.iter().map(|p| format!("{} at {:#x}", p.name, p.offset)).collect();
            if area.initial_data.0 != 0 {
                content.insert(0, "data of the file".to_owned());
            }
            table.row([
                area.index.to_string(),
                area.gpa.map_or("not inserted".to_owned(), |gpa| gpa.to_string()),
                area.size.to_string(),
                area.platforms.join(" "),
                content.join(", "),
            ]);
        }
        write!(f, "\nParameters\n{table}")
    }

    fn write_skipped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.skipped_headers.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&[
            ("offset", Align::Right),
            ("type", Align::Right),
            ("size", Align::Right),
            ("text", Align::Left),
        ]);
        for header in &self.skipped_headers {
            table.row([
                header.offset.to_string(),
                header.header_type.to_string(),
                header.size.to_string(),
                header.text.clone().unwrap_or_default(),
            ]);
        }
        write!(f, "\nHeaders passed over\n{table}")
    }
}

/// Registers that are zero are left out, except those that people look for.
fn write_context(f: &mut fmt::Formatter<'_>, context: &Context) -> fmt::Result {
    write!(f, "\nProcessor {} on {}", context.vp_index, context.platforms.join(" "))?;
    if let Some(gpa) = context.gpa {
        write!(f, ", VMSA at {gpa}")?;
    }
    if let Some(vtl) = context.vtl {
        write!(f, ", VTL {vtl}")?;
    }
    let mut table = Table::new(&[LEFT, LEFT, LEFT]);
    for register in context.registers.iter().filter(|r| !r.is_zero || r.is_essential()) {
        table.row([register.name.clone(), register.value.clone(), register.meaning.clone()]);
    }
    write!(f, "\n{table}")
}

fn write_boot(f: &mut fmt::Formatter<'_>, boot: &Boot) -> fmt::Result {
    writeln!(f, "\nBoot block at {} for {}", boot.gpa, boot.platforms.join(" "))?;
    match &boot.content {
        Content::Broken { problem } => writeln!(f, "  broken: {problem}"),
        Content::Read {
            region,
            region_size,
            page_table_root,
            stack_top,
            c_bit_mask,
            max_vcpus,
            console,
            parts,
        } => {
            writeln!(f, "  region {region}, {region_size}, for up to {max_vcpus} processors")?;
            writeln!(f, "  page tables at {page_table_root}, C-bit mask {c_bit_mask}")?;
            writeln!(f, "  stack top at {stack_top}")?;
            writeln!(f, "  messages on the console: for {console}")?;
            let mut table = Table::new(&[
                ("address", Align::Right),
                ("size", Align::Right),
                ("content", Align::Right),
                ("access", Align::Left),
                ("kind", Align::Left),
                ("name", Align::Left),
            ]);
            for part in parts {
                table.row([
                    part.gpa.to_string(),
                    part.size.to_string(),
                    part.content_size.to_string(),
                    part.access.clone(),
                    part.kind.clone(),
                    part.name.clone(),
                ]);
            }
            write!(f, "{table}")
        }
    }
}

fn write_identity(f: &mut fmt::Formatter<'_>, identity: &Identity) -> fmt::Result {
    let mut table = Table::new(&[LEFT, LEFT]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("launch digest", identity.launch_digest.clone());
    row("family ID", identity.family_id.clone());
    row("image ID", identity.image_id.clone());
    row("security version", identity.guest_svn.to_string());
    row("ID key digest", identity.id_key_digest.clone());
    row("signed by ID key", identity.id_block_signature.to_string());
    match (&identity.author_key_digest, identity.id_key_signature) {
        (Some(digest), Some(state)) => {
            row("author key digest", digest.clone());
            row("ID key signed by author", state.to_string());
        }
        _ => row("author key", "none".to_owned()),
    }
    write!(f, "\nID block\n{table}")
}

fn write_vbs(f: &mut fmt::Formatter<'_>, vbs: &VbsMeasurement) -> fmt::Result {
    writeln!(f, "\nVBS measurement, not checked")?;
    writeln!(
        f,
        "  product {}, module {}, security version {}, policy {}",
        vbs.product_id, vbs.module_id, vbs.security_version, vbs.policy_flags
    )?;
    writeln!(f, "  digest {} (algorithm {})", vbs.digest, vbs.digest_algorithm)
}

fn write_launch(f: &mut fmt::Formatter<'_>, launch: &Launch) -> fmt::Result {
    writeln!(f, "\nSEV-SNP launch digest, VMSAs as written")?;
    match launch {
        Launch::Problem(problem) => writeln!(f, "  none: {problem}"),
        Launch::Digest { digest, pages, id_block_agrees } => {
            writeln!(f, "  {digest}")?;
            let pages: Vec<String> =
                pages.iter().map(|count| format!("{} {}", count.pages, count.page_type)).collect();
            writeln!(f, "  over pages: {}", pages.join(", "))?;
            match id_block_agrees {
                None => Ok(()),
                Some(true) => writeln!(f, "  the ID block expects this digest"),
                Some(false) => writeln!(f, "  THE ID BLOCK EXPECTS ANOTHER DIGEST"),
            }
        }
    }
}
