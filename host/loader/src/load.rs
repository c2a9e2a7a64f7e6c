//! From an IGVM file to a launch file.

use abi_simulator::launch::{
    AuthorKey, GivenPages, Identity, LaunchFileWriter, LaunchStart, PAGE_SIZE, Page as Content,
};
use abi_snp::{KeyAlgorithm, PageType, Policy};
use igvm_defs::IgvmPlatformType;
use svsm_image::file::{Igvm, Page};
use svsm_image::inspect::platform_name;
use svsm_image::{measure, sign};

use crate::error::Error;
use crate::machine_options::MachineOptions;
use crate::memory::GuestMemory;
use crate::parameters::Parameters;
use crate::steps::{self, Step};
use crate::{level, parameters, processors};

/// Loads `igvm` into `machine`: returns the launch file.
///
/// # Errors
///
/// See [`Error`]. A launch file that is returned is one that
/// [`abi_simulator::launch::LaunchFile::parse`] accepts.
pub fn load(igvm: &Igvm, machine: &MachineOptions<'_>) -> Result<Vec<u8>, Error> {
    let mask = igvm.mask_of(IgvmPlatformType::SEV_SNP).ok_or_else(|| not_snp(igvm))?;
    let policy = igvm.policy(mask).map(Policy::from_bits).ok_or(Error::NoPolicy)?;
    let pages: Vec<Page<'_>> = igvm.pages().filter(|page| page.mask & mask != 0).collect();
    measure::check_pages(&pages)?;
    processors::check(&pages, machine.options.vcpus)?;
    let memory = GuestMemory::new(machine.memory_size, igvm, mask, &pages);
    let parameters = Parameters {
        vcpus: machine.options.vcpus,
        memory: &memory,
        command_line: machine.command_line,
    };
    let areas = parameters::fill(igvm, &pages, &parameters)?;

    let mut file = LaunchFileWriter::new(&machine.options);
    file.memory(memory.ranges());
    file.security_processor(&machine.security_processor);
    file.certificates(machine.certificates);
    file.scenario(machine.scenario);
    file.launch_start(&LaunchStart { policy, host_data: machine.host_data });
    for step in steps::steps(&pages, &areas) {
        match step {
            Step::Private { mut run, content } => {
                run.permissions = level::permissions(machine.vmpl);
                match machine.vmpl {
                    Some(vmpl) if run.page_type == PageType::VMSA => {
                        let lowered = content.into_iter().map(|page| level::save_area(page, vmpl));
                        file.pages(&run, &lowered.collect::<Vec<Content>>());
                    }
                    _ => file.pages(&run, content),
                }
            }
            Step::Shared { gpa, content } => file.shared_pages(gpa, content),
        }
    }
    for range in memory.given() {
        file.given_pages(&GivenPages { gpa: range.gpa, count: range.size / PAGE_SIZE as u64 });
    }
    if let Some(identity) = identity(igvm, mask) {
        file.identity(&identity);
    }
    Ok(file.finish()?)
}

fn not_snp(igvm: &Igvm) -> Error {
    let platforms: Vec<String> =
        igvm.platforms().map(|platform| platform_name(platform.platform_type)).collect();
    Error::NotSnp { platforms: platforms.join(", ") }
}

/// What the file's ID block says about the guest's owner.
fn identity(igvm: &Igvm, mask: u32) -> Option<Identity> {
    let (id_block, authentication) = sign::find_id_block(igvm, mask)?;
    let author_key = if authentication.author_key_algorithm == KeyAlgorithm::NONE {
        AuthorKey::Disabled
    } else {
        AuthorKey::Enabled
    };
    Some(Identity::new(id_block, authentication, author_key))
}

#[cfg(test)]
mod tests;
