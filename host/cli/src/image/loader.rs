//! Who loads an image: what the launch digest depends on besides the file.

use svsm_image::measure::{Options, PageList, Vmm, ZeroPages};

use super::hexadecimal;
use crate::failure::Usage;

/// Arguments that several commands share.
#[derive(Debug, clap::Args)]
pub(crate) struct Loader {
    /// Who loads the file
    #[arg(long, value_enum, default_value_t)]
    vmm: VmmName,
    /// Number of virtual processors, with `--vmm kvm`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    vcpus: Option<u32>,
    /// CPUID function 1, EAX, of the guest's processors, with `--vmm kvm`;
    /// needed for processors that the file gives no registers for
    #[arg(long, value_name = "0x…", value_parser = hexadecimal::number)]
    cpu_signature: Option<u32>,
    /// How pages without data are measured
    #[arg(long, value_enum, default_value_t)]
    zero_pages: ZeroPagesName,
}

/// Who loads the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum VmmName {
    /// A loader that does exactly what the file says
    #[default]
    AsWritten,
    /// QEMU on Linux/KVM, which makes the VMSAs itself
    Kvm,
}

/// How pages without data are measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ZeroPagesName {
    /// As pages that hold zeros, as known loaders do
    #[default]
    Normal,
    /// With the page type for zero pages
    Native,
}

impl Loader {
    /// The same for the image library.
    ///
    /// # Errors
    ///
    /// The arguments do not fit together.
    pub(super) fn options(&self, page_list: PageList) -> Result<Options, Usage> {
        let vmm = match (self.vmm, self.vcpus) {
            (VmmName::Kvm, Some(vcpus)) => Vmm::Kvm { vcpus },
            (VmmName::Kvm, None) => {
                return Err(Usage(
                    "KVM measures one VMSA for each virtual processor: \
                     say how many with --vcpus N"
                        .to_owned(),
                ));
            }
            (VmmName::AsWritten, None) if self.cpu_signature.is_none() => Vmm::AsWritten,
            (VmmName::AsWritten, _) => {
                return Err(Usage(
                    "--vcpus and --cpu-signature only count with --vmm kvm: \
                     otherwise the file says everything"
                        .to_owned(),
                ));
            }
        };
        let zero_pages = match self.zero_pages {
            ZeroPagesName::Normal => ZeroPages::Normal,
            ZeroPagesName::Native => ZeroPages::Native,
        };
        Ok(Options { vmm, zero_pages, cpu_signature: self.cpu_signature, page_list })
    }

    /// The loader's name, as on the command line.
    pub(super) fn name(&self) -> &'static str {
        match self.vmm {
            VmmName::AsWritten => "as-written",
            VmmName::Kvm => "kvm",
        }
    }
}

#[cfg(test)]
mod tests {
    use svsm_image::measure::{PageList, Vmm};

    use super::{Loader, VmmName, ZeroPagesName};

    fn loader(vmm: VmmName, vcpus: Option<u32>, cpu_signature: Option<u32>) -> Option<Vmm> {
        let loader = Loader { vmm, vcpus, cpu_signature, zero_pages: ZeroPagesName::Normal };
        loader.options(PageList::Omit).ok().map(|options| options.vmm)
    }

    #[test]
    fn kvm_needs_a_count_and_nothing_else_takes_one() {
        assert_eq!(loader(VmmName::AsWritten, None, None), Some(Vmm::AsWritten));
        assert_eq!(loader(VmmName::Kvm, Some(4), Some(1)), Some(Vmm::Kvm { vcpus: 4 }));
        assert_eq!(loader(VmmName::Kvm, None, None), None);
        assert_eq!(loader(VmmName::AsWritten, Some(4), None), None);
        assert_eq!(loader(VmmName::AsWritten, None, Some(1)), None);
    }
}
