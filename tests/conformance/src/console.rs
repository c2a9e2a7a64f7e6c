//! Text output: the first serial port, by port I/O events of the GHCB page.

use core::fmt::{self, Write};

use abi_snp::ghcb::{ExitCode, PortIo, PortIoDirection, PortIoWidth, SaveArea, ValidFields};
use serial::{Registers, Terminal, Uart};

use crate::ghcb::Ghcb;
use crate::machine::Published;

/// First port of a PC's first serial port.
const COM1: u16 = 0x3f8;

/// The page that the console asks with. Until there is one, text is lost.
static PAGE: Published = Published::none();

/// The ports of the UART.
struct Ports(Ghcb);

impl Registers for Ports {
    fn read(&self, index: u8) -> u8 {
        // A port that does not answer reads as empty, like one that is not
        // there.
        read_port(self.0, COM1 + u16::from(index), PortIoWidth::One).unwrap_or(u32::MAX) as u8
    }

    fn write(&self, index: u8, value: u8) {
        write_port(self.0, COM1 + u16::from(index), PortIoWidth::One, value.into());
    }
}

/// Reads a port; `None` if the host does not.
pub(crate) fn read_port(ghcb: Ghcb, port: u16, width: PortIoWidth) -> Option<u32> {
    let io = PortIo::single(PortIoDirection::In, port, width);
    let request = SaveArea::request(ExitCode::PORT_IO.0, io.encode(), 0);
    ghcb.ask(&request, ValidFields::RAX).ok().map(|outputs| outputs.rax as u32)
}

/// Writes a port.
pub(crate) fn write_port(ghcb: Ghcb, port: u16, width: PortIoWidth, value: u32) {
    let io = PortIo::single(PortIoDirection::Out, port, width);
    let request = SaveArea {
        rax: Some(value.into()),
        ..SaveArea::request(ExitCode::PORT_IO.0, io.encode(), 0)
    };
    ghcb.answer(&request);
}

/// Prepares the serial port. From here on, text is printed.
pub(crate) fn prepare(ghcb: Ghcb) {
    Uart::new(Ports(ghcb)).configure();
    PAGE.set(ghcb.0);
}

/// Writes text.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    if let Some(page) = PAGE.get() {
        let uart = Uart::new(Ports(Ghcb(page)));
        // An error can only come from a `Display` that reports one by itself.
        let _ = Terminal::new(&uart).write_fmt(text);
    }
}

/// Prints a line.
macro_rules! println {
    ($($text:tt)*) => {
        $crate::console::print(::core::format_args!("{}\n", ::core::format_args!($($text)*)))
    };
}
pub(crate) use println;
