//! #VC: whatever bytes and exit code, what is answered moves RIP by a length
//! that an instruction can have, and no further than the bytes go.
#![no_main]

use intercepted_instruction::{Intercepted, MAX_LENGTH, Transferred};
use libfuzzer_sys::fuzz_target;
use processor::TrapFrame;

fuzz_target!(|input: &[u8]| {
    let Some((code, bytes)) = input.split_first() else { return };
    let mut frame = TrapFrame::default();
    frame.error_code = u64::from(*code);
    (frame.rcx, frame.rip) = (3, 0x1000);
    let decoded = match Intercepted::decode(bytes, &frame) {
        Ok(decoded) => decoded,
        Err(refusal) => return drop(refusal.to_string()),
    };
    match decoded {
        Intercepted::Cpuid(call) => call.answer(&mut frame, [1, 2, 3, 4]),
        Intercepted::ReadPort(access) => access.answer(&mut frame, u32::MAX),
        Intercepted::WritePort(access) => access.answer(&mut frame),
        Intercepted::String(access) => {
            let count = access.count();
            assert_eq!(access.transferred(&mut frame, count), Transferred::All);
        }
        Intercepted::ReadMsr(access) => access.answer(&mut frame, u64::MAX),
        Intercepted::WriteMsr(access) => access.answer(&mut frame),
        Intercepted::ReadTimeStamp(read) => read.answer(&mut frame, 5, 6),
    }
    let length = frame.rip - 0x1000;
    assert!((1..=bytes.len().min(MAX_LENGTH) as u64).contains(&length));
});
