//! What manifests say, and how bad ones are refused.

use std::num::NonZeroU8;

use abi_boot::ConsoleAudience;
use proptest::prelude::*;

use super::*;
use crate::layout::payload::Acpi;

const MODULE: &str = r#"
name = "svsm"
kind = "module"
platforms = ["snp", "native"]
max_vcpus = 16
[region]
base = 0x0800_0000
size = 0x0100_0000
[kernel]
package = "svsm-kernel"
"#;

const LINUX: &str = r#"
name = "linux"
kind = "linux"
platforms = ["snp"]
[linux]
kernel = "bzImage"
memory_size = 0x1000_0000
"#;

fn parse(text: &str) -> Result<Manifest, Error> {
    Manifest::parse(text, Path::new("images"))
}

fn module(text: &str) -> Module {
    match parse(text).unwrap().kind {
        Kind::Module(module) => module,
        Kind::Linux(_) => panic!("not a module image"),
    }
}

/// The line and the message of a refusal.
fn refusal(text: &str) -> (usize, String) {
    match parse(text) {
        Err(error @ Error::Content { line, .. }) => (line, error.to_string()),
        other => panic!("expected a refusal about the content: {other:?}"),
    }
}

/// The module manifest with one line replaced.
fn with(line: &str, replacement: &str) -> String {
    assert!(MODULE.contains(line));
    MODULE.replace(line, replacement)
}

#[test]
fn short_manifest_has_the_defaults() {
    let manifest = parse(MODULE).unwrap();
    assert_eq!(manifest.name.as_str(), "svsm");
    assert_eq!(manifest.platforms, [PlatformName::Snp, PlatformName::Native].into());
    let Snp { c_bit, policy, sev_features, svn, vmsa_gpa } = manifest.snp;
    assert_eq!(sev_features.get(), abi_snp::SevFeatures::SNP_ACTIVE);
    assert_eq!((c_bit.get(), c_bit.mask()), (51, 1 << 51));
    assert_eq!((policy.get().bits(), svn, vmsa_gpa.get()), (0x3_0000, 0, 0xffff_ffff_f000));

    let module = module(MODULE);
    assert_eq!(module.max_vcpus.get(), 16);
    assert_eq!(module.region, Region { base: 0x800_0000, size: 0x100_0000 });
    assert_eq!(module.kernel.program, Program::Package("svsm-kernel".to_owned()));
    assert_eq!((module.kernel.stack_pages.get(), module.kernel.options.as_str()), (4, ""));
    let Parameters { memory_map_pages, madt_pages, device_tree_pages } = module.parameters;
    assert_eq!([memory_map_pages, madt_pages, device_tree_pages].map(AreaPages::get), [1, 1, 0]);
    assert_eq!(module.log.console, ConsoleName::None);
    assert_eq!((module.services, module.guest), (Vec::new(), None));
}

#[test]
fn console_is_for_whom_the_manifest_says() {
    for (name, expected) in [
        ("none", ConsoleAudience::NONE),
        ("host", ConsoleAudience::HOST),
        ("tenant", ConsoleAudience::TENANT),
    ] {
        let module = module(&format!("{MODULE}[log]\nconsole = '{name}'\n"));
        assert_eq!(ConsoleAudience::from(module.log.console), expected);
    }
    let (line, message) = refusal(&format!("{MODULE}[log]\nconsole = 'everybody'\n"));
    assert_eq!(line, 12);
    assert!(message.contains("`everybody`"), "{message}");
}

#[test]
fn every_key_is_read() {
    let text = r#"
name = "a-1_b"
kind = "module"
platforms = ["snp"]
max_vcpus = 4096
region = { base = 0, size = 0x4000_0000 }
kernel = { elf = "kernel.elf", stack_pages = 8, options = "a b" }
parameters = { memory_map_pages = 2, madt_pages = 0, device_tree_pages = 3 }
snp = { c_bit = 47, policy = 0xb_0000, sev_features = 9, svn = 7, vmsa_gpa = 0x1000 }
guest = { kind = "linux", kernel = "bzImage", initrd = "/abs/initrd", command_line = "quiet" }
[[service]]
name = "init"
package = "svsm-init"
[[service]]
name = "vtpm"
elf = "vtpm.elf"
"#;
    let manifest = parse(text).unwrap();
    assert_eq!((manifest.snp.c_bit.get(), manifest.snp.svn), (47, 7));
    assert_eq!(manifest.snp.sev_features.get().bits(), 9);
    assert_eq!(manifest.packages().collect::<Vec<_>>(), ["svsm-init"]);
    let module = module(text);
    assert_eq!(module.kernel.program, Program::Elf("images/kernel.elf".into()));
    assert_eq!(module.kernel.options.as_str(), "a b");
    assert_eq!(module.parameters.device_tree_pages.get(), 3);
    assert_eq!(module.services[1].program, Program::Elf("images/vtpm.elf".into()));
    let guest = module.guest.unwrap();
    assert_eq!(guest.kernel, Path::new("images/bzImage"));
    assert_eq!(guest.initrd.unwrap(), Path::new("/abs/initrd"));
    assert_eq!(guest.command_line, "quiet");
}

#[test]
fn linux_manifest_is_read() {
    let manifest = parse(LINUX).unwrap();
    assert_eq!(manifest.packages().count(), 0);
    let Kind::Linux(linux) = manifest.kind else { panic!("not a Linux image") };
    assert_eq!(linux.memory_size.get(), 0x1000_0000);
    assert_eq!(linux.acpi, Acpi::Image { processors: NonZeroU8::MIN });
    assert_eq!(linux.payload.initrd, None);
    assert_eq!(linux.payload.command_line, "");
}

#[test]
fn shipped_manifests_are_valid() {
    for name in ["svsm.toml", "linux.toml"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images");
        let manifest = Manifest::load(&folder.join(name)).unwrap();
        assert_eq!(format!("{}.toml", manifest.name), name);
    }
}

#[test]
fn unknown_keys_are_named_with_their_line() {
    let (line, message) = refusal(&with("max_vcpus = 16", "max_vcpus = 16\ncolour = 'red'"));
    assert_eq!(line, 6);
    assert!(message.contains("manifest:6:") && message.contains("`colour`"), "{message}");
    for section in ["region", "kernel", "snp", "parameters", "log", "guest", "service", "linux"] {
        let text = match section {
            "linux" => format!("{LINUX}colour = 1\n"),
            "service" => format!("{MODULE}[[service]]\nname = 'a'\ncolour = 1\n"),
            "guest" => format!("{MODULE}[guest]\nkind = 'none'\ncolour = 1\n"),
            "snp" | "parameters" | "log" => format!("{MODULE}[{section}]\ncolour = 1\n"),
            _ => with(&format!("[{section}]"), &format!("[{section}]\ncolour = 1")),
        };
        let (line, message) = refusal(&text);
        assert_eq!(text.lines().nth(line - 1), Some("colour = 1"), "{message}");
        assert!(message.contains("unknown field `colour`"), "{message}");
    }
}

#[test]
fn missing_keys_are_named() {
    for (line, key) in [
        ("name = \"svsm\"\n", "`name`"),
        ("kind = \"module\"\n", "`kind`"),
        ("platforms = [\"snp\", \"native\"]\n", "`platforms`"),
        ("max_vcpus = 16\n", "`max_vcpus`"),
        ("[kernel]\npackage = \"svsm-kernel\"\n", "`kernel`"),
        ("[region]\nbase = 0x0800_0000\nsize = 0x0100_0000\n", "`region`"),
        ("size = 0x0100_0000\n", "`size`"),
        ("package = \"svsm-kernel\"\n", "`package`"),
    ] {
        let (_, message) = refusal(&with(line, ""));
        assert!(message.contains(key), "{message}");
    }
    let (_, message) = refusal(&LINUX.replace("memory_size = 0x1000_0000\n", ""));
    assert!(message.contains("`memory_size`"), "{message}");
}

#[test]
fn values_out_of_range_are_refused() {
    let cases = [
        ("name = \"svsm\"", "name = \"\"", "name must be"),
        ("name = \"svsm\"", "name = \"../svsm\"", "name must be"),
        ("name = \"svsm\"", "name = \"-p\"", "name must be"),
        ("name = \"svsm\"", "name = \"a23456789012345678901234567890123\"", "name must be"),
        ("package = \"svsm-kernel\"", "package = \"a b\"", "name must be"),
        ("platforms = [\"snp\", \"native\"]", "platforms = []", "`platforms`"),
        ("platforms = [\"snp\", \"native\"]", "platforms = [\"tdx\"]", "tdx"),
        ("kind = \"module\"", "kind = \"firmware\"", "firmware"),
        ("max_vcpus = 16", "max_vcpus = 0", "`max_vcpus` is 0"),
        ("max_vcpus = 16", "max_vcpus = 4097", "`max_vcpus` is 4097"),
        ("max_vcpus = 16", "max_vcpus = -1", "max_vcpus = -1"),
        ("max_vcpus = 16", "max_vcpus = \"many\"", "max_vcpus = \"many\""),
        ("base = 0x0800_0000", "base = 0x0800_0001", "`base`"),
        ("base = 0x0800_0000", "base = -4096", "base = -4096"),
        ("size = 0x0100_0000", "size = 0", "`size`"),
        ("size = 0x0100_0000", "size = 0x1001", "`size`"),
        ("size = 0x0100_0000", "size = 0x4000_1000", "`size`"),
        ("package = \"svsm-kernel\"", "package = \"a\"\nelf = \"b\"", "exactly one"),
        ("package = \"svsm-kernel\"", "package = \"a\"\nstack_pages = 0", "pages is 0"),
        ("package = \"svsm-kernel\"", "package = \"a\"\nstack_pages = 1025", "pages is 1025"),
        ("package = \"svsm-kernel\"", "package = \"a\"\noptions = \"\\n\"", "`options`"),
    ];
    for (line, replacement, words) in cases {
        let (at, message) = refusal(&with(line, replacement));
        assert!(message.contains(words), "{replacement}: {message}");
        assert!((2..12).contains(&at), "{message}");
    }
}

#[test]
fn snp_values_are_checked() {
    for (key, words) in [
        ("c_bit = 31", "`c_bit` is 31"),
        ("c_bit = 52", "`c_bit` is 52"),
        ("policy = 0x1_0000", "bit 17"),
        ("policy = 0x2_0000_0002_0000", "unknown bits"),
        ("sev_features = 8", "SNP_ACTIVE"),
        ("vmsa_gpa = 8", "`vmsa_gpa`"),
        ("svn = 0x1_0000_0000", "svn = "),
    ] {
        let text = format!("{MODULE}[snp]\n{key}\n");
        let (line, message) = refusal(&text);
        assert_eq!(text.lines().nth(line - 1), Some(key));
        assert!(message.contains(words), "{message}");
    }
    assert!(parse(&format!("{MODULE}[snp]\nc_bit = 32\n")).is_ok());
    assert!(parse(&format!("{MODULE}[parameters]\nmadt_pages = 1025\n")).is_err());
}

#[test]
fn regions_that_wrap_are_refused() {
    let (line, message) = refusal(&with("base = 0x0800_0000", "base = 0xffff_ffff_ffff_f000"));
    assert!(message.contains("wraps around"), "{message}");
    assert_eq!(line, 6);
}

#[test]
fn sections_belong_to_their_kind() {
    let (_, message) = refusal(&format!("{MODULE}[linux]\nkernel = 'k'\nmemory_size = 0x200000\n"));
    assert!(message.contains("`linux` belongs to kind `linux`"), "{message}");
    for section in
        ["[region]\nbase = 0\nsize = 4096", "[parameters]", "[log]", "[guest]\nkind = 'none'"]
    {
        let (_, message) = refusal(&format!("{LINUX}{section}\n"));
        assert!(message.contains("belongs to kind `module`"), "{message}");
    }
    let (_, message) = refusal(&LINUX.replace("[\"snp\"]", "[\"snp\", \"native\"]"));
    assert!(message.contains("`snp` only"), "{message}");
    let (_, message) = refusal(&with("kind = \"module\"", "kind = \"linux\""));
    assert!(message.contains("belongs to kind `module`"), "{message}");
}

#[test]
fn guests_and_services_are_checked() {
    for (section, words) in [
        ("[guest]\nkind = 'none'\nkernel = 'k'", "takes no other keys"),
        ("[guest]\nkind = 'none'\ncommand_line = 'k'", "takes no other keys"),
        ("[guest]\nkind = 'linux'", "needs `kernel`"),
        ("[guest]\nkind = 'linux'\nkernel = 'k'\ncommand_line = \"a\\u0000\"", "`command_line`"),
        ("[[service]]\nname = 'a'", "exactly one"),
        (
            "[[service]]\nname = 'a'\nelf = 'x'\n[[service]]\nname = 'a'\nelf = 'y'",
            "`a` is there twice",
        ),
    ] {
        let (_, message) = refusal(&format!("{MODULE}{section}\n"));
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(module(&format!("{MODULE}[guest]\nkind = 'none'\n")).guest, None);
    let long = "x".repeat(65_537);
    let text = format!("{MODULE}[guest]\nkind = 'linux'\nkernel = 'k'\ncommand_line = '{long}'\n");
    let (_, message) = refusal(&text);
    assert!(message.len() < 400, "quotes are cut");
}

#[test]
fn linux_memory_is_checked() {
    for size in ["0", "0x1000", "0x20_1000", "0x8020_0000"] {
        let (_, message) = refusal(&LINUX.replace("0x1000_0000", size));
        assert!(message.contains("`memory_size`"), "{message}");
    }
    assert!(parse(&LINUX.replace("0x1000_0000", "0x8000_0000")).is_ok());
}

#[test]
fn linux_has_processors_or_the_platform_s_tables() {
    let acpi = |keys: &str| match parse(&format!("{LINUX}{keys}\n"))?.kind {
        Kind::Linux(linux) => Ok::<_, Error>(linux.acpi),
        Kind::Module(_) => panic!("not a Linux image"),
    };
    let four = NonZeroU8::new(4).unwrap();
    assert_eq!(acpi("cpus = 4").unwrap(), Acpi::Image { processors: four });
    assert_eq!(acpi("rsdp = 0xe_0000").unwrap(), Acpi::Platform { rsdp: 0xe_0000 });
    for count in ["0", "9", "257", "-1"] {
        let message = acpi(&format!("cpus = {count}")).unwrap_err().to_string();
        assert!(message.contains("cpus"), "{message}");
    }
    let message = acpi("cpus = 1\nrsdp = 0xe_0000").unwrap_err().to_string();
    assert!(message.contains("`cpus` and `rsdp`"), "{message}");
}

#[test]
fn files_are_named_in_messages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.toml");
    let message = |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        Manifest::load(&path).unwrap_err().to_string()
    };
    let name = path.display().to_string();
    assert!(message(b"name = 1\n").starts_with(&format!("{name}:1: ")));
    assert!(message(b"\xff").contains(&name));
    assert!(message(b"").contains(&name));
    assert!(message(&vec![b'#'; MAX_MANIFEST_SIZE as usize + 1]).contains("larger"));
    std::fs::remove_file(&path).unwrap();
    assert!(Manifest::load(&path).unwrap_err().to_string().contains(&name));
}

#[test]
fn control_characters_are_not_repeated() {
    let (_, message) = refusal("name = \"\x1b[31m\"\n");
    assert!(!message.contains('\x1b'), "{message:?}");
}

proptest! {
    #[test]
    fn garbage_never_panics(text in "\\PC{0,300}") {
        let _ = parse(&text);
    }

    #[test]
    fn changed_bytes_never_panic(
        changes in proptest::collection::vec((0_usize..MODULE.len(), any::<u8>()), 1..8),
        cut in 0_usize..MODULE.len(),
    ) {
        let mut bytes = MODULE.as_bytes().to_vec();
        for (offset, value) in changes {
            bytes[offset] = value;
        }
        let _ = parse(&String::from_utf8_lossy(&bytes));
        bytes.truncate(cut);
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn nesting_never_overflows_the_stack(depth in 1_usize..50_000) {
        let _ = parse(&format!("name = {}", "[".repeat(depth)));
        let _ = parse(&format!("{} = 1", vec!["a"; depth].join(".")));
    }
}
