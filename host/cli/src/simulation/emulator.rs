//! QEMU's command line for the simulator.
//!
//! The machine's memory, as the hypervisor divides it:
//!
//! | from | what |
//! |---|---|
//! | 0 | what the guest shares with the host, at the guest's own addresses |
//! | 0x7000_0000 | the hypervisor itself, up to 2 GiB |
//! | 4 GiB | what the guest shares, as far as it has memory there |
//! | behind it | the guest's private pages, then the hypervisor's tables |

use std::ffi::OsString;
use std::path::Path;

use abi_simulator::{HIGH_MEMORY_BASE, memory_ranges};

use super::request::{Devices, FirmwareItem, Pace, Request};
use crate::machine::path_in_option;

/// Machine memory below 4 GiB. QEMU would otherwise put up to 2.75 GiB there
/// and leave less above.
const LOW: u64 = 2 << 30;

/// Least machine memory for the hypervisor's tables.
const LEAST_TABLES: u64 = 256 << 20;

/// How much memory of a guest has tables in one byte: four nested page tables of
/// small pages, twice for the C-bit, and the reverse map take about a fiftieth.
const MEMORY_BY_TABLES: u64 = 16;

/// Files that QEMU is given.
pub(super) struct Files<'a> {
    /// The hypervisor's program.
    pub(super) hypervisor: &'a Path,
    /// The launch file.
    pub(super) launch: &'a Path,
    /// Where the simulator's reports go.
    pub(super) report: &'a Path,
}

/// What is added to the command line that all machines share.
pub(super) fn arguments(request: &Request, files: &Files<'_>) -> Vec<OsString> {
    let size = machine_memory(request.platform.memory);
    let mut arguments = Arguments::default();
    arguments.option("-machine", format!("max-ram-below-4g={LOW}"));
    // Page tables of five levels with bit 51 as an address bit need all 52.
    arguments.option("-cpu", "max,phys-bits=52");
    arguments.option("-m", format!("size={}M", size.div_ceil(1 << 20)));
    // Statuses and addresses are those of `simulator/hypervisor`.
    arguments.option("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04");
    arguments.option("-chardev", path_in_option("file,id=report,path=", files.report));
    arguments.option("-device", "isa-debugcon,iobase=0xe9,chardev=report");
    arguments.option("-kernel", files.hypervisor);
    arguments.option("-initrd", files.launch);
    arguments.devices(&request.devices, size);
    arguments.pace(request.pace);
    if let Some(port) = request.debugger {
        arguments.option("-gdb", format!("tcp:127.0.0.1:{port}"));
        arguments.0.push("-S".into());
    }
    arguments.0
}

/// Bytes of machine memory for a guest with `guest` bytes: what lies below
/// 4 GiB, the guest's memory above 4 GiB as it shares it, all of the guest's
/// memory once more for private pages, whose content differs from that of
/// shared ones, and the hypervisor's tables.
fn machine_memory(guest: u64) -> u64 {
    let high = memory_ranges(guest).into_iter().filter(|range| range.gpa >= HIGH_MEMORY_BASE);
    let tables = LEAST_TABLES.max(guest / MEMORY_BY_TABLES);
    LOW + high.map(|range| range.size).sum::<u64>() + guest + tables
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.extend([name.into(), value.into()]);
    }

    /// How time passes. Where it passes with the instructions, nothing else may
    /// come from outside either: the date begins with the machine, and random
    /// numbers, which RDRAND gives to guests, follow from a seed.
    fn pace(&mut self, pace: Pace) {
        match pace {
            Pace::RealTime => {}
            Pace::Instructions => {
                self.option("-icount", "shift=0,sleep=off");
                self.option("-rtc", "base=2026-01-01T00:00:00,clock=vm");
                self.option("-seed", "1");
            }
        }
    }

    /// Devices on the PCI bus. A confidential guest uses virtio devices only if
    /// they are modern ones and say that they keep to memory shared with them,
    /// which QEMU calls `iommu_platform`.
    fn devices(&mut self, devices: &Devices, machine_memory: u64) {
        const VIRTIO: &str = "disable-legacy=on,iommu_platform=on";
        if let Some(disk) = &devices.disk {
            self.option("-drive", path_in_option("if=none,id=disk,format=raw,file=", disk));
            self.option("-device", format!("virtio-blk-pci,drive=disk,{VIRTIO}"));
        }
        if let Some(socket) = &devices.vsock {
            // The device's other half is a process of its own and works on the
            // machine's memory.
            let backend = "memory-backend-memfd,id=memory,share=on";
            self.option("-object", format!("{backend},size={machine_memory}"));
            self.option("-machine", "memory-backend=memory");
            self.option("-chardev", path_in_option("socket,id=vsock,path=", socket));
            self.option("-device", format!("vhost-user-vsock-pci,chardev=vsock,{VIRTIO}"));
        }
        for FirmwareItem { name, text } in &devices.items {
            let [name, text] = [name, text].map(|value| value.replace(',', ",,"));
            self.option("-fw_cfg", format!("name={name},string={text}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Files, arguments, machine_memory};
    use crate::simulation::request::{Devices, FirmwareItem, Image, Pace, Platform, Request};

    fn request() -> Request {
        Request {
            image: Image::Igvm(PathBuf::from("unused")),
            command_line: String::new(),
            platform: Platform::default(),
            devices: Devices::default(),
            pace: Pace::RealTime,
            debugger: None,
            limit: None,
            expect: None,
        }
    }

    fn line(request: &Request) -> String {
        let path = Path::new;
        let (hypervisor, launch, report) = (path("hypervisor"), path("launch"), path("a,b"));
        let arguments = arguments(request, &Files { hypervisor, launch, report });
        arguments.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn memory_for_both_views_of_each_page() {
        const M: u64 = 1 << 20;
        assert_eq!(machine_memory(512 * M), (2048 + 512 + 256) * M);
        // All of it lies below the hypervisor.
        assert_eq!(machine_memory(1792 * M), (2048 + 1792 + 256) * M);
        // 2304 MiB do not.
        assert_eq!(machine_memory(4096 * M), (2048 + 2304 + 4096 + 256) * M);
        // More tables for more memory.
        assert_eq!(machine_memory(8192 * M), (2048 + 6400 + 8192 + 512) * M);
    }

    #[test]
    fn the_plain_machine() {
        let line = line(&request());
        assert!(line.contains("-kernel hypervisor -initrd launch"), "{line}");
        assert!(line.contains("-m size=2816M"), "{line}");
        assert!(line.contains("path=a,,b -device isa-debugcon,iobase=0xe9"), "{line}");
        for absent in
            ["-icount", "-rtc", "-seed", "-gdb", "-S", "-fw_cfg", "virtio", "vsock", "memfd"]
        {
            assert!(!line.contains(absent), "{absent}: {line}");
        }
    }

    #[test]
    fn everything_attached() {
        let item = FirmwareItem { name: "opt/a".to_owned(), text: "b,c".to_owned() };
        let devices =
            Devices { disk: Some("d,1".into()), vsock: Some("v".into()), items: vec![item] };
        let (pace, debugger) = (Pace::Instructions, Some(1234));
        let line = line(&Request { devices, pace, debugger, ..request() });
        for present in [
            "-drive if=none,id=disk,format=raw,file=d,,1 -device virtio-blk-pci,drive=disk,",
            "size=2952790016 -machine memory-backend=memory",
            "-chardev socket,id=vsock,path=v -device vhost-user-vsock-pci,chardev=vsock,",
            "-fw_cfg name=opt/a,string=b,,c",
            "-icount shift=0,sleep=off -rtc base=2026-01-01T00:00:00,clock=vm -seed 1",
            "-gdb tcp:127.0.0.1:1234 -S",
        ] {
            assert!(line.contains(present), "{present}: {line}");
        }
    }
}
