//! Whole images: from files to bytes and back through the format's library.

use std::fs;
use std::path::Path;

use abi_boot::Access;
use igvm::{
    IgvmDirectiveHeader, IgvmFile, IgvmInitializationHeader, IgvmPlatformHeader, IsolationType,
};
use igvm_defs::{IgvmPageDataType, IgvmPlatformType};
use proptest::prelude::*;

use super::*;
use crate::bzimage::sample::bzimage;
use crate::elf::sample::SampleElf;
use crate::layout::part::Purpose;

const KERNEL: &str = r#"
[kernel]
package = "svsm-kernel"
[[service]]
name = "init"
elf = "init.elf"
[region]
base = 0x0800_0000
size = 0x0100_0000
"#;
const HEAD: &str =
    "name = \"svsm\"\nkind = \"module\"\nplatforms = [\"snp\", \"native\"]\nmax_vcpus = 4\n";
const GUEST: &str = "[guest]\nkind = \"linux\"\nkernel = \"bzImage\"\ninitrd = \"initrd\"\n\
                     command_line = \"quiet\"\n";
const LINUX: &str = "name = \"linux\"\nkind = \"linux\"\nplatforms = [\"snp\"]\n[linux]\n\
                     kernel = \"bzImage\"\ninitrd = \"initrd\"\nmemory_size = 0x0400_0000\n";

/// A folder with all files that the manifests above name.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.put("kernel.elf", &SampleElf::kernel().to_bytes());
        files.put("init.elf", &SampleElf::service(&[1; 5000]).to_bytes());
        files.put("bzImage", &bzimage(&[0xcc; 0x2010]));
        files.put("initrd", &[3; 5000]);
        files
    }

    fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn build(&self, text: &str, platforms: &[PlatformName]) -> Result<Image, Error> {
        let manifest = Manifest::parse(text, self.0.path()).unwrap();
        let packages = [("svsm-kernel".to_owned(), self.path("kernel.elf"))].into();
        build(&manifest, &platforms.iter().copied().collect(), &packages)
    }

    fn refusal(&self, text: &str) -> String {
        self.build(text, &[PlatformName::Snp]).unwrap_err().to_string()
    }
}

const BOTH: [PlatformName; 2] = [PlatformName::Snp, PlatformName::Native];

fn module_text() -> String {
    [HEAD, KERNEL, GUEST].concat()
}

fn parse(igvm: &[u8], platform: IsolationType) -> IgvmFile {
    IgvmFile::new_from_binary(igvm, Some(platform)).unwrap()
}

/// What the file puts into memory: every page's address, bytes and type.
fn pages(file: &IgvmFile) -> Vec<(u64, u64, IgvmPageDataType, Vec<u8>)> {
    let mut pages = Vec::new();
    for directive in file.directives() {
        if let IgvmDirectiveHeader::PageData { gpa, flags, data_type, data, .. } = directive {
            let size = if flags.is_2mb_page() { 0x20_0000 } else { 0x1000 };
            pages.push((*gpa, size, *data_type, data.clone()));
        }
    }
    pages
}

/// The same, as the layout has it.
fn expected_pages(parts: &[Part]) -> Vec<(u64, u64, IgvmPageDataType, Vec<u8>)> {
    let mut pages = Vec::new();
    for part in parts {
        let data_type = match part.purpose {
            Purpose::Secrets => IgvmPageDataType::SECRETS,
            Purpose::Cpuid => IgvmPageDataType::CPUID_DATA,
            Purpose::MemoryMap | Purpose::VpCount | Purpose::Madt | Purpose::DeviceTree => continue,
            _ => IgvmPageDataType::NORMAL,
        };
        let mut gpa = part.gpa;
        while gpa < part.end() {
            let large = part.purpose == Purpose::FreeMemory
                && gpa % 0x20_0000 == 0
                && part.end() - gpa >= 0x20_0000;
            let size = if large { 0x20_0000 } else { 0x1000 };
            let from = ((gpa - part.gpa) as usize).min(part.content.len());
            let to = (from + 0x1000).min(part.content.len());
            let mut data = part.content[from..to].to_vec();
            data.resize(0x1000, 0);
            if data.iter().all(|byte| *byte == 0) {
                data.clear();
            }
            pages.push((gpa, size, data_type, data));
            gpa += size;
        }
    }
    pages
}

#[test]
fn file_holds_the_layout_of_each_platform() {
    let image = Files::new().build(&module_text(), &BOTH).unwrap();
    for (platform, isolation) in [
        (PlatformName::Snp, IsolationType::Snp),
        (PlatformName::Native, IsolationType::NotIsolated),
    ] {
        let file = parse(&image.igvm, isolation);
        assert_eq!(pages(&file), expected_pages(&image.parts[&platform]), "{platform}");
    }
    let file = IgvmFile::new_from_binary(&image.igvm, None).unwrap();
    let on_both = file.directives().iter().filter(|d| d.compatibility_mask() == Some(3)).count();
    assert!(on_both > 10, "pages that are equal are there once");
}

#[test]
fn platforms_and_policy_are_declared() {
    let declared = |text: &str, platforms: &[PlatformName]| {
        let image = Files::new().build(text, platforms).unwrap();
        let file = IgvmFile::new_from_binary(&image.igvm, None).unwrap();
        let platforms: Vec<_> = file
            .platforms()
            .iter()
            .map(|IgvmPlatformHeader::SupportedPlatform(info)| {
                assert_eq!((info.platform_version, info.shared_gpa_boundary), (1, 0));
                (info.compatibility_mask, info.platform_type, info.highest_vtl)
            })
            .collect();
        (platforms, file.initializations().to_vec())
    };
    let policy =
        vec![IgvmInitializationHeader::GuestPolicy { policy: 0x3_0000, compatibility_mask: 1 }];
    let without_guest = [HEAD, KERNEL].concat();
    let snp = |vtl| (1, IgvmPlatformType::SEV_SNP, vtl);
    let native = (2, IgvmPlatformType::NATIVE, 0);
    // SNP first: Cloud Hypervisor looks at the first platform only.
    assert_eq!(declared(&without_guest, &BOTH), (vec![snp(0), native], policy.clone()));
    assert_eq!(declared(&module_text(), &BOTH), (vec![snp(2), native], policy.clone()));
    assert_eq!(declared(&module_text(), &BOTH[1..]), (vec![native], Vec::new()));
    assert_eq!(declared(LINUX, &BOTH[..1]), (vec![snp(0)], policy));
}

#[test]
fn order_is_what_loaders_need() {
    let image = Files::new().build(&module_text(), &BOTH).unwrap();
    let file = parse(&image.igvm, IsolationType::Snp);
    let stage = |directive: &IgvmDirectiveHeader| match directive {
        IgvmDirectiveHeader::RequiredMemory { .. } => 0,
        IgvmDirectiveHeader::ParameterArea { .. }
        | IgvmDirectiveHeader::MemoryMap(_)
        | IgvmDirectiveHeader::VpCount(_)
        | IgvmDirectiveHeader::Madt(_)
        | IgvmDirectiveHeader::ParameterInsert(_) => 1,
        IgvmDirectiveHeader::PageData { .. } => 2,
        IgvmDirectiveHeader::SnpVpContext { .. } => 3,
        other => panic!("unexpected {other:?}"),
    };
    assert!(file.directives().iter().map(stage).is_sorted());
    assert_eq!(file.directives().iter().filter(|d| stage(d) == 3).count(), 1);
    assert!(pages(&file).iter().map(|page| page.0).is_sorted());
    let required: Vec<_> = file
        .directives()
        .iter()
        .filter_map(|directive| match directive {
            IgvmDirectiveHeader::RequiredMemory { gpa, number_of_bytes, .. } => {
                Some((*gpa, *number_of_bytes))
            }
            _ => None,
        })
        .collect();
    // What the guest's kernel needs, and the module's region.
    assert_eq!(required, [(0x100_0000, 0x40_0000), (0x800_0000, 0x100_0000)]);
}

#[test]
fn parameter_areas_lie_where_the_layout_says() {
    let image = Files::new().build(&module_text(), &BOTH).unwrap();
    let file = parse(&image.igvm, IsolationType::Snp);
    let parts = &image.parts[&PlatformName::Snp];
    let gpa_of = |purpose| parts.iter().find(|part| part.purpose == purpose).unwrap().gpa;
    let mut inserted = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    for directive in file.directives() {
        match directive {
            IgvmDirectiveHeader::ParameterInsert(insert) => {
                inserted.insert(insert.parameter_area_index, insert.gpa);
            }
            IgvmDirectiveHeader::MemoryMap(p) => {
                kinds.insert(p.parameter_area_index, Purpose::MemoryMap);
            }
            IgvmDirectiveHeader::VpCount(p) => {
                kinds.insert(p.parameter_area_index, Purpose::VpCount);
            }
            IgvmDirectiveHeader::Madt(p) => {
                kinds.insert(p.parameter_area_index, Purpose::Madt);
            }
            _ => {}
        }
    }
    assert_eq!(inserted.len(), 3);
    for (index, gpa) in inserted {
        assert_eq!(gpa, gpa_of(kinds[&index]));
    }
}

#[test]
fn processor_starts_in_the_kernel() {
    let image = Files::new().build(&module_text(), &BOTH).unwrap();
    let tables = |platform| {
        let tables = |part: &&Part| part.purpose == Purpose::PageTables;
        image.parts[&platform].iter().find(tables).unwrap().gpa
    };
    let snp = parse(&image.igvm, IsolationType::Snp);
    let Some(IgvmDirectiveHeader::SnpVpContext { gpa, vp_index, vmsa, .. }) =
        snp.directives().last()
    else {
        panic!("the save area comes last")
    };
    assert_eq!((*gpa, *vp_index), (0xffff_ffff_f000, 0));
    assert_eq!((vmsa.rip, vmsa.rdi, vmsa.rsi), (0xffff_ffff_8000_1010, 0xffff_ffff_8000_0000, 0));
    assert_eq!(vmsa.cr3, 1 << 51 | tables(PlatformName::Snp));
    assert_eq!((u64::from(vmsa.sev_features), vmsa.vmpl), (1, 0));
    let native = parse(&image.igvm, IsolationType::NotIsolated);
    let Some(IgvmDirectiveHeader::X64NativeVpContext { context, .. }) = native.directives().last()
    else {
        panic!("the context comes last")
    };
    assert_eq!((context.rip, context.rdi), (0xffff_ffff_8000_1010, 0xffff_ffff_8000_0000));
    assert_eq!(context.cr3, tables(PlatformName::Native));
}

#[test]
fn same_input_gives_the_same_bytes_in_any_folder() {
    let (first, second) = (Files::new(), Files::new());
    for text in [module_text(), LINUX.to_owned()] {
        let platforms = if text.contains("native") { &BOTH[..] } else { &BOTH[..1] };
        let image = first.build(&text, platforms).unwrap();
        assert_eq!(image, first.build(&text, platforms).unwrap());
        assert_eq!(image, second.build(&text, platforms).unwrap());
    }
}

#[test]
fn outputs_follow_the_platforms() {
    let files = Files::new();
    let revision = |image: &Image| image.igvm[4];
    let both = files.build(&module_text(), &BOTH).unwrap();
    assert!(both.pvh.is_some());
    assert_eq!((revision(&both), both.parts.len()), (2, 2));
    let snp = files.build(&module_text(), &BOTH[..1]).unwrap();
    assert!(snp.pvh.is_none());
    assert_eq!((revision(&snp), snp.parts.len()), (1, 1));
    assert!(matches!(files.build(&module_text(), &[]), Err(Error::NoPlatform)));
    let error = files.build(LINUX, &BOTH).unwrap_err();
    assert!(matches!(error, Error::Platform(PlatformName::Native)), "{error}");
}

#[test]
fn bare_linux_holds_all_of_its_memory() {
    let image = Files::new().build(LINUX, &BOTH[..1]).unwrap();
    let file = parse(&image.igvm, IsolationType::Snp);
    let pages = pages(&file);
    assert_eq!(pages, expected_pages(&image.parts[&PlatformName::Snp]));
    let total: u64 = pages.iter().map(|page| page.1).sum();
    // All but the video memory.
    assert_eq!(total, 0x400_0000 - 0x2_0000);
    assert!(pages.iter().filter(|page| page.1 == 0x20_0000).count() > 20);
    assert!(image.igvm.len() < 200_000, "free memory takes headers only");
    let Some(IgvmDirectiveHeader::SnpVpContext { vmsa, .. }) = file.directives().last() else {
        panic!("the save area comes last")
    };
    assert_eq!((vmsa.rip, vmsa.rsi), (0x100_0200, 0x1_3000));
    let all = image.parts[&PlatformName::Snp].iter();
    assert!(all.clone().all(|part| part.access == Access::all()));
}

#[test]
fn bad_files_are_named() {
    let files = Files::new();
    let name = |file: &str| files.path(file).display().to_string();
    let text = module_text();
    for (file, content, words) in [
        ("kernel.elf", b"no".to_vec(), "not an ELF file"),
        ("kernel.elf", vec![0; MAX_ELF_SIZE as usize + 1], "larger"),
        ("init.elf", SampleElf { machine: 8, ..SampleElf::kernel() }.to_bytes(), "e_machine"),
        ("bzImage", vec![0; 4096], "not a bzImage"),
        ("initrd", Vec::new(), "empty"),
    ] {
        let good = fs::read(files.path(file)).unwrap();
        files.put(file, &content);
        let message = files.refusal(&text);
        assert!(message.contains(&name(file)) && message.contains(words), "{message}");
        fs::remove_file(files.path(file)).unwrap();
        assert!(files.refusal(&text).contains(&name(file)));
        files.put(file, &good);
    }
    files.put("bzImage", &[0; 4096]);
    assert!(files.refusal(LINUX).contains(&name("bzImage")));
}

#[test]
fn keys_are_named_where_they_are_to_blame() {
    let files = Files::new();
    let missing = files.refusal(&module_text().replace("svsm-kernel", "other"));
    assert!(missing.contains("package `other`"), "{missing}");
    let small = files.refusal(&module_text().replace("0x0100_0000", "0x0001_0000"));
    assert!(small.contains("region.size") && small.contains("snp"), "{small}");
    let long = "x".repeat(3000);
    let text = module_text().replace("quiet", &long);
    assert!(files.refusal(&text).contains("guest.command_line"));
    let text = format!("{LINUX}command_line = \"{long}\"\n");
    assert!(files.refusal(&text).contains("linux.command_line"));
    let text = LINUX.replace("0x0400_0000", "0x0100_0000");
    assert!(files.refusal(&text).contains("linux.memory_size"));
    let no_pvh =
        SampleElf { segments: SampleElf::kernel().segments[..3].to_vec(), ..SampleElf::kernel() };
    files.put("kernel.elf", &no_pvh.to_bytes());
    let error = files.build(&module_text(), &BOTH).unwrap_err().to_string();
    assert!(error.contains("native") && error.contains("PVH"), "{error}");
}

#[test]
fn files_are_read_relative_to_the_manifest() {
    let files = Files::new();
    let path = files.path("m.toml");
    let text = LINUX.to_owned();
    fs::write(&path, text).unwrap();
    let manifest = Manifest::load(&path).unwrap();
    assert_eq!(manifest.folder, Path::new(files.0.path()));
    assert!(build(&manifest, &[PlatformName::Snp].into(), &BTreeMap::new()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Damaged input is refused or makes an image that the format's library
    /// reads, with the pages of its layout.
    #[test]
    fn damaged_files_make_no_damaged_images(
        flips in proptest::collection::vec((0_usize..330, 0_u8..8), 0..4),
        kernel_flips in proptest::collection::vec((0x1f1_usize..0x270, 0_u8..8), 0..4),
    ) {
        let files = Files::new();
        let flip = |mut bytes: Vec<u8>, flips: &[(usize, u8)]| {
            for (offset, bit) in flips {
                bytes[*offset] ^= 1 << bit;
            }
            bytes
        };
        files.put("kernel.elf", &flip(SampleElf::kernel().to_bytes(), &flips));
        files.put("bzImage", &flip(bzimage(&[0xcc; 0x2010]), &kernel_flips));
        for text in [module_text(), LINUX.to_owned()] {
            if let Ok(image) = files.build(&text, &BOTH[..1]) {
                let file = parse(&image.igvm, IsolationType::Snp);
                prop_assert_eq!(pages(&file), expected_pages(&image.parts[&PlatformName::Snp]));
            }
        }
    }
}

/// QEMU and KVM change nothing in what the builder writes, so that there is one
/// digest for all loaders.
#[test]
fn every_loader_measures_the_same() {
    use crate::file::Igvm;
    use crate::measure::{Options, Vmm, snp_launch_digest};

    let files = Files::new();
    for text in [module_text(), LINUX.to_owned()] {
        let image = files.build(&text, &[PlatformName::Snp]).unwrap();
        let igvm = Igvm::parse(&image.igvm).unwrap();
        let kvm = Options { vmm: Vmm::Kvm { vcpus: 1 }, ..Options::default() };
        let digests = [Options::default(), kvm]
            .map(|options| snp_launch_digest(&igvm, &options).unwrap().digest);
        assert_eq!(digests[0], digests[1], "{text}");
    }
}

#[test]
fn owner_signs_with_the_manifests_version() {
    use crate::file::Igvm;
    use crate::sign::{SigningKey, verify};

    let key = p384::SecretKey::from_slice(&[7; 48]).unwrap();
    let pem = key.to_sec1_pem(p384::pkcs8::LineEnding::LF).unwrap();
    let key = SigningKey::from_pem(&pem).unwrap();
    let files = Files::new();
    let text = [module_text(), "[snp]\nsvn = 9\n".to_owned()].concat();
    let manifest = Manifest::parse(&text, Path::new("")).unwrap();
    let unsigned = files.build(&text, &BOTH).unwrap();

    let mut image = unsigned.clone();
    image.sign(&manifest, &key, None).unwrap();
    let verification = verify(&Igvm::parse(&image.igvm).unwrap()).unwrap();
    assert_eq!(verification.id_block.guest_svn, 9);
    assert_eq!(verification.id_key_digest, key.digest());

    let mut native = files.build(&text, &[PlatformName::Native]).unwrap();
    assert!(matches!(native.sign(&manifest, &key, None), Err(SignError::Measure(_))));
    assert_eq!(native, files.build(&text, &[PlatformName::Native]).unwrap());
}

#[test]
fn the_kernels_options_are_a_measured_part() {
    let files = Files::new();
    let text = [HEAD, &KERNEL.replace("[kernel]", "[kernel]\noptions = \"one two\"")].concat();
    let image = files.build(&text, &BOTH).unwrap();
    for parts in image.parts.values() {
        let part = parts.iter().find(|part| part.purpose == Purpose::KernelOptions).unwrap();
        assert_eq!((&*part.content, part.access), (b"one two".as_slice(), Access::READ));
    }
    let without = files.build(&[HEAD, KERNEL].concat(), &BOTH).unwrap();
    assert!(without.parts.values().flatten().all(|p| p.purpose != Purpose::KernelOptions));
}
