//! What the digest depends on besides the file.

/// How the file is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Who makes the VMSA pages.
    pub vmm: Vmm,
    /// How pages without data are measured.
    pub zero_pages: ZeroPages,
    /// CPU signature of the guest's processors: what CPUID function 1 returns
    /// in EAX. Needed with [`Vmm::Kvm`] if processors start in reset state.
    pub cpu_signature: Option<u32>,
    /// Whether [`Measurement::pages`](super::Measurement::pages) is filled.
    pub page_list: PageList,
}

/// Who loads the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vmm {
    /// A loader that does what the file says: pages in the order of the file,
    /// VMSAs as they are at the address that the file gives (Hyper-V and
    /// OpenVMM, and this project's simulator).
    #[default]
    AsWritten,
    /// QEMU on Linux/KVM.
    ///
    /// **VMSAs** are measured last, one for each processor, all at
    /// [`abi_snp::KVM_VMSA_GPA`]. QEMU (`sev_apply_cpu_context`) copies a VP
    /// context into its processor, KVM (`sev_es_sync_vmsa`) makes a new VMSA
    /// from its own state. On the way
    /// - EFER gets SVME, CR4 gets MCE (if the host has it, which every one
    ///   has), CR0 gets ET and loses CD and NW, RFLAGS gets bit 1;
    /// - the privilege level becomes that of SS;
    /// - segment attributes keep 12 bits, GDTR and IDTR lose selector,
    ///   attributes and the upper half of the limit;
    /// - TR gets the base of LDTR: a slip in QEMU.
    ///
    /// What QEMU cannot hand over it refuses, and so does this program:
    /// [`Error::VmsaField`](super::Error::VmsaField).
    ///
    /// A processor without VP context starts in reset state, its RDX holding
    /// the CPU signature.
    ///
    /// **Order.** QEMU collects neighbouring pages of one kind and hands them
    /// over when the next page does not continue the run, but a parameter area
    /// at once (`qigvm_process_mem_page`). So an area whose insertion directly
    /// follows pages is measured before that run.
    ///
    /// Taken from the sources of Linux (`arch/x86/kvm/svm`) and QEMU
    /// (`backends/igvm.c`, `target/i386/sev.c`) as of 2025, and checked against
    /// digests of `sev-snp-measure` for processors that start in real mode.
    /// *Not* checked on hardware; VP contexts with paging enabled have not been
    /// compared with any independent program. QEMU refuses files with header
    /// kinds that it does not know (device tree parameters, error ranges and
    /// relocation among them in the version looked at): that is not checked.
    Kvm {
        /// Number of virtual processors.
        vcpus: u32,
    },
}

/// How a page without data is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroPages {
    /// As a normal page that holds zeros: what loaders do.
    #[default]
    Normal,
    /// With the page type of the platform for zero pages.
    Native,
}

/// Whether the measured pages are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageList {
    /// They are counted only.
    #[default]
    Omit,
    /// They are listed in the order of the measurement.
    Keep,
}
