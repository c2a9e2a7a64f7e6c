//! Clients of all kinds, over real sockets.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::{Lifetime, Listeners, MOST_CONNECTIONS};
use crate::{Appliance, Durability, Journal, StateFolder};

const STARTUP: [u8; 12] = [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0];
const SHUTDOWN: [u8; 12] = [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x45, 0, 0];
const RANDOM: [u8; 12] = [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7B, 0, 4];
const OK: [u8; 10] = [0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0];
const FAILURE: [u8; 10] = [0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1];
const COMMAND_SIZE: [u8; 10] = [0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x42];

/// A server in a thread. It ends when this is dropped.
struct Running {
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
    one: SocketAddr,
    two: SocketAddr,
    folder: tempfile::TempDir,
}

impl Running {
    fn start(
        lifetime: Lifetime,
        listen: fn(&mut Listeners, &Path) -> (SocketAddr, SocketAddr),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::silent());
        let state = StateFolder::open(
            &folder.path().join("state"),
            Durability::Process,
            Arc::clone(&journal),
        );
        let mut appliance = Appliance::new(Box::new(state.unwrap()), journal);
        appliance.manufacture().unwrap();
        appliance.power_on().unwrap();
        let mut listeners = Listeners::default();
        let (one, two) = listen(&mut listeners, folder.path());
        let (stop, stopped) = UnixStream::pair().unwrap();
        let thread = std::thread::spawn(move || {
            listeners.serve(appliance, lifetime, stopped.as_fd()).unwrap();
        });
        Self { stop: Some(stop), thread: Some(thread), one, two, folder }
    }

    fn swtpm() -> Self {
        Self::start(Lifetime::UntilStopped, |listeners, folder| {
            listeners.swtpm_unix(&folder.join("socket")).unwrap();
            listeners.swtpm_unix_commands(&folder.join("commands")).unwrap();
            listeners.swtpm((Ipv4Addr::LOCALHOST, 0).into()).unwrap()
        })
    }

    fn simulator() -> Self {
        Self::start(Lifetime::UntilStopped, |listeners, _| {
            listeners.simulator((Ipv4Addr::LOCALHOST, 0).into()).unwrap()
        })
    }

    /// Waits until it has ended by itself.
    fn join(&mut self) {
        self.thread.take().expect("it is joined once").join().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Sends bytes and gives an answer of known length.
fn ask(stream: &mut (impl Read + Write), bytes: &[u8], length: usize) -> Vec<u8> {
    stream.write_all(bytes).unwrap();
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).unwrap();
    answer
}

fn control(stream: &mut (impl Read + Write), number: u32, body: &[u8], length: usize) -> Vec<u8> {
    ask(stream, &[&number.to_be_bytes(), body].concat(), length)
}

#[test]
fn commands_and_control() {
    let server = Running::swtpm();
    let (mut data, mut ctrl) = (connect(server.one), connect(server.two));
    assert_eq!(control(&mut ctrl, 17, &4000_u32.to_be_bytes(), 16)[..8], [0, 0, 0, 0, 0, 0, 16, 0]);
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    assert_eq!(ask(&mut data, &RANDOM, 16)[6..10], [0; 4]);
    // Stopped, it fails; after an init it wants to be started.
    assert_eq!(control(&mut ctrl, 14, &[], 4), [0; 4]);
    assert_eq!(ask(&mut data, &RANDOM, 10), FAILURE);
    assert_eq!(control(&mut ctrl, 4, &[], 4), [0, 0, 0, 0xA]);
    assert_eq!(control(&mut ctrl, 2, &[0; 4], 4), [0; 4]);
    assert_eq!(ask(&mut data, &RANDOM, 10)[8..], [1, 0]);
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    // What this side can do, and what it does not know.
    assert_eq!(control(&mut ctrl, 1, &[], 8), 0x17FFF_u64.to_be_bytes());
    assert_eq!(control(&mut ctrl, 0x99, &[], 4), [0, 0, 0, 0xA]);
    assert_eq!(control(&mut ctrl, 15, &[], 8), [0; 8]);
    // The size of commands can be asked for at any time, and set while it is off or
    // was not used.
    assert_eq!(control(&mut ctrl, 17, &[0; 4], 16)[4..8], 4096_u32.to_be_bytes());
    assert_eq!(control(&mut ctrl, 17, &4000_u32.to_be_bytes(), 4), [0, 0, 0, 0xA]);
    assert_eq!(control(&mut ctrl, 14, &[], 4), [0; 4]);
    let sizes = control(&mut ctrl, 17, &4000_u32.to_be_bytes(), 16);
    assert_eq!(sizes, [[0; 4], [0, 0, 16, 0], [0, 0, 16, 0], [0, 0, 16, 0]].concat());
    let info = control(&mut ctrl, 18, &[[0; 7].as_slice(), &[3], &[0; 8]].concat(), 12);
    let length = u32::from_be_bytes(info[8..12].try_into().unwrap()) as usize;
    let text = String::from_utf8(ask(&mut ctrl, &[], length)).unwrap();
    assert!(text.contains(r#""revision":159"#) && text.contains("id:5356534D"), "{text}");
}

#[test]
fn locality_is_set_for_the_data_channel() {
    let server = Running::swtpm();
    let (mut data, mut ctrl) = (connect(server.one), connect(server.two));
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    // TPM2_PCR_Reset of PCR 20 wants locality 2 or more.
    let mut reset = [0x80, 2, 0, 0, 0, 27, 0, 0, 1, 0x3D, 0, 0, 0, 20, 0, 0, 0, 9].to_vec();
    reset.extend([0x40, 0, 0, 9, 0, 0, 0, 0, 0]);
    assert_eq!(ask(&mut data, &reset, 10)[8..], [9, 7]);
    assert_eq!(control(&mut ctrl, 5, &[5], 4), [0, 0, 0, 0x3D]);
    assert_eq!(control(&mut ctrl, 5, &[2], 4), [0; 4]);
    assert_eq!(ask(&mut data, &reset, 19)[6..10], [0; 4]);
}

#[test]
fn a_launch_is_measured_over_the_control_channel() {
    let server = Running::swtpm();
    let (mut data, mut ctrl) = (connect(server.one), connect(server.two));
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    assert_eq!(control(&mut ctrl, 4, &[], 8), [0; 8]);
    assert_eq!(control(&mut ctrl, 6, &[], 4), [0; 4]);
    let payload = vec![7; 10_000];
    let length = (payload.len() as u32).to_be_bytes();
    assert_eq!(control(&mut ctrl, 7, &[&length[..], &payload].concat(), 4), [0; 4]);
    assert_eq!(control(&mut ctrl, 8, &[], 4), [0; 4]);
    assert_eq!(control(&mut ctrl, 4, &[], 8), [0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(control(&mut ctrl, 11, &[0, 0, 0, 0], 4), [0, 0, 0, 0x3D]);
    assert_eq!(control(&mut ctrl, 11, &[3, 0, 0, 0], 4), [0; 4]);
    assert_eq!(control(&mut ctrl, 4, &[], 8), [0; 8]);
    // TPM2_PCR_Read of PCR 17 in SHA-256.
    let read = [0x80, 1, 0, 0, 0, 20, 0, 0, 1, 0x7E, 0, 0, 0, 1, 0, 0x0B, 3, 0, 0, 2];
    let measured = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[&payload]);
    let expected = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[&[0; 32], measured.as_bytes()]);
    assert_eq!(ask(&mut data, &read, 62)[30..], *expected.as_bytes());
}

/// What is asked for, and set, with GET_STATEBLOB and SET_STATEBLOB.
const PERMANENT: u8 = 1;
const VOLATILE: u8 = 2;
const SAVED: u8 = 3;

/// Asks for the state of a kind.
fn get_state(ctrl: &mut TcpStream, kind: u8) -> Vec<u8> {
    let header = control(ctrl, 12, &[0, 0, 0, 0, 0, 0, 0, kind, 0, 0, 0, 0], 16);
    assert_eq!(header[..8], [0; 8]);
    assert_eq!(header[8..12], header[12..]);
    let length = u32::from_be_bytes(header[12..].try_into().unwrap());
    ask(ctrl, &[], length as usize)
}

/// Sets the state of a kind and gives the result.
fn set_state(ctrl: &mut TcpStream, kind: u8, state: &[u8]) -> [u8; 4] {
    let length = (state.len() as u32).to_be_bytes();
    let request = [&[0, 0, 0, 0, 0, 0, 0, kind][..], &length, state].concat();
    control(ctrl, 13, &request, 4).try_into().unwrap()
}

#[test]
fn permanent_state_moves_to_another_device() {
    let (first, second) = (Running::swtpm(), Running::swtpm());
    let (mut from, mut to) = (connect(first.two), connect(second.two));
    let state = get_state(&mut from, PERMANENT);
    // Not while it is on, not if it is damaged or of another kind.
    assert_eq!(set_state(&mut to, PERMANENT, &state), [0, 0, 0, 9]);
    assert_eq!(control(&mut to, 14, &[], 4), [0; 4]);
    let mut damaged = state.clone();
    damaged[40] ^= 1;
    assert_eq!(set_state(&mut to, PERMANENT, &damaged), [0, 0, 0, 9]);
    assert_eq!(set_state(&mut to, VOLATILE, &state), [0, 0, 0, 9]);
    assert_eq!(set_state(&mut to, SAVED, &state), [0, 0, 0, 3]);
    assert_eq!(set_state(&mut to, PERMANENT, &state), [0; 4]);
    assert_eq!(control(&mut to, 2, &[0; 4], 4), [0; 4]);
    assert_eq!(get_state(&mut to, PERMANENT), state);
    assert_eq!(get_state(&mut to, SAVED), []);
    assert_eq!(control(&mut from, 12, &[0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0], 4), [0, 0, 0, 3]);
    // One that is announced as too large is not taken.
    let huge = [0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 0xFF, 0xFF, 0xFF];
    assert_eq!(control(&mut from, 13, &huge, 4), [0, 0, 0, 9]);
}

/// TPM2_HashSequenceStart with SHA-256 and no password.
const BEGIN: [u8; 14] = [0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x86, 0, 0, 0, 0x0B];

/// TPM2_SequenceComplete of the first sequence, with no more data.
fn finish() -> Vec<u8> {
    let mut command = vec![0x80, 2, 0, 0, 0, 33, 0, 0, 1, 0x3E, 0x80, 0, 0, 0, 0, 0, 0, 9];
    command.extend([0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 7]);
    command
}

#[test]
fn a_device_moves_while_it_works() {
    let (first, second) = (Running::swtpm(), Running::swtpm());
    let (mut from, mut to) = (connect(first.two), connect(second.two));
    let (mut old, mut new) = (connect(first.one), connect(second.one));
    assert_eq!(ask(&mut old, &STARTUP, 10), OK);
    assert_eq!(ask(&mut old, &BEGIN, 14)[10..], [0x80, 0, 0, 0]);
    // As QEMU does it.
    let states = [PERMANENT, VOLATILE, SAVED].map(|kind| (kind, get_state(&mut from, kind)));
    assert_eq!(control(&mut to, 14, &[], 4), [0; 4]);
    for (kind, state) in &states {
        assert_eq!(set_state(&mut to, *kind, state), [0; 4]);
    }
    // It can be asked for before the device goes on.
    assert_eq!(get_state(&mut to, VOLATILE), states[1].1);
    assert_eq!(control(&mut to, 2, &[0, 0, 0, 1], 4), [0; 4]);
    let empty = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[]);
    let digest = ask(&mut new, &finish(), 61);
    assert_eq!((&digest[6..10], &digest[16..48]), (&[0; 4][..], empty.as_bytes()));
    // Once only.
    assert_eq!(control(&mut to, 2, &[0; 4], 4), [0; 4]);
    assert_eq!(ask(&mut new, &RANDOM, 10)[8..], [1, 0]);
    // To the state of another device it does not belong.
    let third = Running::swtpm();
    let mut ctrl = connect(third.two);
    assert_eq!(control(&mut ctrl, 14, &[], 4), [0; 4]);
    assert_eq!(get_state(&mut ctrl, VOLATILE), []);
    assert_eq!(set_state(&mut ctrl, VOLATILE, &states[1].1), [0; 4]);
    assert_eq!(control(&mut ctrl, 2, &[0; 4], 4), [0, 0, 0, 9]);
    assert_eq!(set_state(&mut ctrl, VOLATILE, &[]), [0; 4]);
    assert_eq!(control(&mut ctrl, 2, &[0; 4], 4), [0; 4]);
}

#[test]
fn volatile_state_that_is_stored_is_gone_on_from() {
    let server = Running::swtpm();
    let (mut data, mut ctrl) = (connect(server.one), connect(server.two));
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    assert_eq!(ask(&mut data, &BEGIN, 14)[6..10], [0; 4]);
    let permanent = get_state(&mut ctrl, PERMANENT);
    assert_eq!(control(&mut ctrl, 10, &[], 4), [0; 4]);
    assert_eq!(get_state(&mut ctrl, PERMANENT), permanent);
    assert_eq!(control(&mut ctrl, 14, &[], 4), [0; 4]);
    assert_eq!(control(&mut ctrl, 10, &[], 4), [0, 0, 0, 0xA]);
    assert_eq!(control(&mut ctrl, 2, &[0; 4], 4), [0; 4]);
    // A program that begins anew goes on by itself; then its client sends an init.
    assert_eq!(control(&mut ctrl, 2, &[0; 4], 4), [0; 4]);
    assert_eq!(ask(&mut data, &finish(), 61)[6..10], [0; 4]);
    assert_eq!(control(&mut ctrl, 2, &[0; 4], 4), [0; 4]);
    assert_eq!(ask(&mut data, &RANDOM, 10)[8..], [1, 0]);
}

#[test]
fn rubbish_is_answered_and_the_channel_goes_on() {
    let server = Running::swtpm();
    let mut data = connect(server.one);
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    // Less than a header, a command that stops, and one that is too long.
    assert_eq!(ask(&mut data, &[0x80, 1, 0], 10), COMMAND_SIZE);
    assert_eq!(ask(&mut data, &RANDOM[..11], 10), COMMAND_SIZE);
    assert_eq!(ask(&mut data, &[&RANDOM[..], &[0]].concat(), 10), COMMAND_SIZE);
    let huge = [&[0x80, 1, 0, 0, 0x20, 0][..], &[0; 8186]].concat();
    assert_eq!(ask(&mut data, &huge, 10), COMMAND_SIZE);
    assert_eq!(ask(&mut data, &RANDOM, 16)[6..10], [0; 4]);
    let mut ctrl = connect(server.two);
    assert_eq!(ask(&mut ctrl, &[0, 0], 4), [0, 0, 0, 3]);
    assert_eq!(control(&mut ctrl, 2, &[0], 4), [0, 0, 0, 3]);
    assert_eq!(control(&mut ctrl, 16, &[], 4), [0, 0, 0, 3]);
    assert_eq!(control(&mut ctrl, 4, &[], 8), [0; 8]);
}

#[test]
fn idle_connections_keep_nobody_out() {
    let server = Running::swtpm();
    let idle: Vec<TcpStream> = (0..MOST_CONNECTIONS + 5).map(|_| connect(server.one)).collect();
    // One of them holds half a command.
    (&idle[MOST_CONNECTIONS]).write_all(&STARTUP[..5]).unwrap();
    let began = Instant::now();
    let mut data = connect(server.one);
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    assert!(began.elapsed() < Duration::from_secs(10));
    // The first ones were closed.
    assert_eq!((&idle[0]).read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_data_channel_comes_over_the_unix_socket() {
    let server = Running::swtpm();
    let mut ctrl = UnixStream::connect(server.folder.path().join("socket")).unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [theirs.as_fd()];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let request = 16_u32.to_be_bytes();
    let sent = sendmsg(&ctrl, &[IoSlice::new(&request)], &mut ancillary, SendFlags::empty());
    assert_eq!(sent, Ok(4));
    drop(theirs);
    assert_eq!(ask(&mut ctrl, &[], 4), [0; 4]);
    assert_eq!(ask(&mut ours, &STARTUP, 10), OK);
}

#[test]
fn commands_come_over_a_unix_socket() {
    let server = Running::swtpm();
    let mut data = UnixStream::connect(server.folder.path().join("commands")).unwrap();
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    // It is the device that the other sockets have.
    assert_eq!(ask(&mut connect(server.one), &RANDOM, 16)[6..10], [0; 4]);
    assert_eq!(control(&mut connect(server.two), 14, &[], 4), [0; 4]);
    assert_eq!(ask(&mut data, &RANDOM, 10), FAILURE);
}

#[test]
fn a_request_ends_the_program() {
    let mut server = Running::swtpm();
    let mut ctrl = connect(server.two);
    let mut idle = connect(server.one);
    assert_eq!(control(&mut ctrl, 3, &[], 4), [0; 4]);
    server.join();
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    assert!(["socket", "commands"].iter().all(|name| !server.folder.path().join(name).exists()));
}

/// TPM2_CreatePrimary of an RSA key that signs, which takes its time.
fn create_rsa() -> Vec<u8> {
    let body = [
        &[0x40, 0, 0, 1, 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0][..],
        &[0, 4, 0, 0, 0, 0],
        &[0, 24, 0, 1, 0, 0x0B, 0, 4, 0, 0x72, 0, 0],
        &[0, 0x10, 0, 0x14, 0, 0x0B, 8, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let length = (10 + body.len() as u32).to_be_bytes();
    [&[0x80, 2][..], &length, &[0, 0, 1, 0x31], &body].concat()
}

#[test]
fn what_is_under_way_is_answered_before_the_end() {
    let answered = |wait: Duration| {
        let mut server = Running::swtpm();
        let mut data = connect(server.one);
        assert_eq!(ask(&mut data, &STARTUP, 10), OK);
        data.write_all(&create_rsa()).unwrap();
        std::thread::sleep(wait);
        drop(server.stop.take());
        server.join();
        let mut answer = Vec::new();
        data.read_to_end(&mut answer).unwrap();
        assert!(answer.is_empty() || answer[6..10] == [0; 4], "{answer:x?}");
        !answer.is_empty()
    };
    // Long enough that the command has been read, and too short to make a key. A
    // machine that is busy may need more than one attempt.
    assert!([5, 20, 60].map(Duration::from_millis).into_iter().any(answered));
}

#[test]
fn who_sends_without_end_does_not_put_off_the_end() {
    let mut server = Running::swtpm();
    let mut data = connect(server.one);
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    let mut sender = data.try_clone().unwrap();
    let sending = std::thread::spawn(move || while sender.write_all(&RANDOM).is_ok() {});
    let reading =
        std::thread::spawn(move || while data.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {});
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    drop(server.stop.take());
    server.join();
    assert!(began.elapsed() < Duration::from_secs(5));
    reading.join().unwrap();
    sending.join().unwrap();
}

#[test]
fn shortages_and_broken_connections_pass() {
    use rustix::io::Errno;
    let error = |code: Errno| std::io::Error::from_raw_os_error(code.raw_os_error());
    for code in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
        assert!(super::is_shortage(&error(code)) && !super::is_passing(&error(code)));
    }
    for code in [Errno::CONNABORTED, Errno::PROTO, Errno::NETUNREACH, Errno::AGAIN] {
        assert!(super::is_passing(&error(code)) && !super::is_shortage(&error(code)));
    }
    for code in [Errno::BADF, Errno::INVAL, Errno::NOTSOCK] {
        assert!(!super::is_passing(&error(code)) && !super::is_shortage(&error(code)));
    }
}

#[test]
fn a_length_that_is_only_said_takes_nothing() {
    let server = Running::swtpm();
    let claim = [13_u32, 0, 1, 16 << 20].map(u32::to_be_bytes).concat();
    let mut claims: Vec<TcpStream> = (0..20).map(|_| connect(server.two)).collect();
    for one in &mut claims {
        one.write_all(&claim).unwrap();
    }
    for one in &mut claims {
        assert_eq!(ask(one, &[], 4), [0, 0, 0, 9], "the rest does not come");
    }
}

#[test]
fn a_client_that_leaves_ends_the_program_if_wanted() {
    let mut server = Running::start(Lifetime::UntilClientLeaves, |listeners, _| {
        listeners.swtpm((Ipv4Addr::LOCALHOST, 0).into()).unwrap()
    });
    drop(connect(server.two));
    let mut data = connect(server.one);
    assert_eq!(ask(&mut data, &STARTUP, 10), OK);
    drop(data);
    server.join();
}

/// A command in the simulator's protocol.
fn send(stream: &mut TcpStream, locality: u8, command: &[u8]) -> Vec<u8> {
    let length = (command.len() as u32).to_be_bytes();
    let message = [&8_u32.to_be_bytes()[..], &[locality], &length, command].concat();
    let size = ask(stream, &message, 4);
    let length = u32::from_be_bytes(size.try_into().unwrap()) as usize;
    let response = ask(stream, &[], length + 4);
    assert_eq!(response[length..], [0; 4]);
    response[..length].to_vec()
}

#[test]
fn the_simulator_s_protocol() {
    let server = Running::simulator();
    let (mut commands, mut platform) = (connect(server.one), connect(server.two));
    assert_eq!(control(&mut commands, 15, &[0, 0, 0, 1], 12)[..4], [0, 0, 0, 1]);
    for signal in [1_u32, 11] {
        assert_eq!(control(&mut platform, signal, &[], 4), [0; 4]);
    }
    assert_eq!(send(&mut commands, 0, &STARTUP), OK);
    assert_eq!(send(&mut commands, 3, &RANDOM).len(), 16);
    // A second signal for power changes nothing, a reset does.
    assert_eq!(control(&mut platform, 1, &[], 4), [0; 4]);
    assert_eq!(send(&mut commands, 0, &RANDOM).len(), 16);
    assert_eq!(control(&mut platform, 17, &[], 4), [0; 4]);
    assert_eq!(send(&mut commands, 0, &RANDOM)[8..], [1, 0]);
    assert_eq!(control(&mut platform, 2, &[], 4), [0; 4]);
    assert_eq!(send(&mut commands, 0, &RANDOM), []);
    assert_eq!(control(&mut commands, 5, &[], 4), [0, 0, 0, 1]);
    assert_eq!(control(&mut platform, 1, &[], 4), [0; 4]);
    // Large messages are refused by the device, not kept.
    assert_eq!(send(&mut commands, 0, &vec![0x80; 100_000])[8..], [0, 0x1E]);
    let large = [&[0x80, 1][..], &100_000_u32.to_be_bytes(), &[0; 99_994]].concat();
    assert_eq!(send(&mut commands, 0, &large), COMMAND_SIZE);
    // Without a store what would be written is refused, and has not happened.
    assert_eq!(send(&mut commands, 0, &STARTUP), OK);
    assert_eq!(control(&mut platform, 12, &[], 4), [0; 4]);
    assert_eq!(send(&mut commands, 0, &RANDOM).len(), 16);
    assert_eq!(send(&mut commands, 0, &SHUTDOWN)[6..], [0, 0, 9, 0x23]);
    assert_eq!(control(&mut platform, 17, &[], 4), [0; 4]);
    assert_eq!(send(&mut commands, 0, &STARTUP)[6..], [0, 0, 9, 0x23]);
    assert_eq!(send(&mut commands, 0, &RANDOM)[8..], [1, 0]);
    assert_eq!(control(&mut platform, 11, &[], 4), [0; 4]);
    assert_eq!(send(&mut commands, 0, &STARTUP), OK);
    // The end of a session, and what is not known.
    commands.write_all(&20_u32.to_be_bytes()).unwrap();
    assert_eq!(commands.read(&mut [0]).unwrap(), 0);
    assert_eq!(control(&mut platform, 99, &[], 4), [0, 0, 0, 1]);
    assert_eq!(platform.read(&mut [0]).unwrap(), 0);
}

#[test]
fn the_simulator_stops_when_asked() {
    let mut server = Running::simulator();
    connect(server.two).write_all(&21_u32.to_be_bytes()).unwrap();
    server.join();
}

#[test]
fn a_client_that_sends_in_parts_does_not_wait() {
    let server = Running::simulator();
    let mut commands = connect(server.one);
    // The client of tpm2-tss: first what comes, then the command, without
    // TCP_NODELAY.
    let mut times = Vec::new();
    for _ in 0..10 {
        let began = Instant::now();
        commands.write_all(&[0, 0, 0, 8, 0, 0, 0, 0, 12]).unwrap();
        assert_eq!(ask(&mut commands, &STARTUP, 18)[..4], [0, 0, 0, 10]);
        times.push(began.elapsed());
    }
    times.sort();
    assert!(times[5] < Duration::from_millis(30), "{times:?}");
}
