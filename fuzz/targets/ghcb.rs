//! GHCB protocol: neither a guest's nor a host's values make a decoder panic,
//! and what is understood means the same when it is written again.
#![no_main]

use abi_snp::ghcb::{
    ApCreation, Ghcb, MsrRequest, MsrResponse, NaeOutputs, NaeRequest, PageStateBuffer, PortIo,
    RequestedException, ValidFields,
};
use libfuzzer_sys::fuzz_target;
use zerocopy::IntoBytes;

fuzz_target!(|input: &[u8]| {
    let mut word = [0; 8];
    let length = input.len().min(word.len());
    word[..length].copy_from_slice(&input[..length]);
    values(u64::from_le_bytes(word));

    let mut page = Ghcb::zeroed();
    fill(page.as_mut_bytes(), input);
    let save_area = page.save_area();
    let _ = NaeRequest::check(&save_area);
    let _ = NaeOutputs::check(&save_area, ValidFields::all());

    let mut buffer = PageStateBuffer::zeroed();
    fill(buffer.as_mut_bytes(), input);
    if let Ok(pending) = buffer.pending() {
        // The buffer has room for 253 entries [GHCB 56421 §4.1.6].
        assert!(pending.count() <= 253);
    }
});

fn values(value: u64) {
    if let Ok(request) = MsrRequest::decode(value) {
        assert_eq!(MsrRequest::decode(request.encode()), Ok(request));
    }
    if let Ok(response) = MsrResponse::decode(value) {
        assert_eq!(MsrResponse::decode(response.encode()), Ok(response));
    }
    if let Ok(port_io) = PortIo::decode(value) {
        assert_eq!(PortIo::decode(port_io.encode()), Ok(port_io));
    }
    if let Ok(creation) = ApCreation::decode(value) {
        assert_eq!(ApCreation::decode(creation.encode()), Ok(creation));
    }
    if let Ok(exception) = RequestedException::decode(value) {
        assert_eq!(RequestedException::decode(exception.encode()), Ok(exception));
    }
}

fn fill(bytes: &mut [u8], input: &[u8]) {
    for (to, from) in bytes.iter_mut().zip(input) {
        *to = *from;
    }
}
