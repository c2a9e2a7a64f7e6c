//! A connection: bytes in and out, and how long it waits for them.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read, write};
use rustix::net::sockopt::{Timeout, set_socket_timeout, set_tcp_nodelay, set_tcp_quickack};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, Shutdown, recvmsg, shutdown,
};

/// How long the rest of a message may take, after its first byte.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// How long the other side may take to make room for an answer.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that are read and dropped at a time.
const CHUNK: usize = 4096;

/// One end of a connection.
pub(crate) struct Link {
    /// Its number, for the journal.
    pub(crate) number: u64,
    socket: OwnedFd,
    used: Mutex<Instant>,
    /// Nothing more is heard.
    over: AtomicBool,
}

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing in time.
    Nothing,
    /// The other side has closed.
    End,
}

impl Link {
    /// Takes a socket over.
    ///
    /// # Errors
    ///
    /// The operating system refuses.
    pub(crate) fn new(number: u64, socket: OwnedFd) -> Result<Self, Errno> {
        rustix::io::ioctl_fionbio(&socket, false)?;
        set_socket_timeout(&socket, Timeout::Send, Some(SEND_PATIENCE))?;
        // Answers are small and awaited. Where there is no such option there is
        // no such delay either.
        let _ = set_tcp_nodelay(&socket, true);
        Ok(Self { number, socket, used: Mutex::new(Instant::now()), over: AtomicBool::new(false) })
    }

    /// Notes that it was used now.
    pub(crate) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When it was last used.
    pub(crate) fn last_used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the other side know at once that its bytes have come. Clients that
    /// send a message in parts wait for that between the parts, and the operating
    /// system would wait some 40 ms for an answer to go along.
    pub(crate) fn acknowledge(&self) {
        // Where there is no such option nobody waits.
        let _ = set_tcp_quickack(&self.socket, true);
    }

    /// Ends the connection: whoever waits for bytes hears the end.
    pub(crate) fn close(&self) {
        // One that has ended already needs nothing more.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    /// Hears nothing more: whoever waits for bytes hears the end, but what is being
    /// answered is still sent.
    pub(crate) fn retire(&self) {
        self.over.store(true, Ordering::SeqCst);
        // What had come before would still be read, and so would what comes
        // later: hence the note above.
        let _ = shutdown(&self.socket, Shutdown::Read);
    }

    /// Waits for bytes, at most as long as `patience` says.
    ///
    /// It waits in `poll` in any case: on Linux, who sleeps there answers some
    /// 0.5 µs sooner than who sleeps in `read`.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub(crate) fn receive(
        &self,
        buffer: &mut [u8],
        patience: Option<Duration>,
    ) -> Result<Heard, Errno> {
        if !self.is_readable(patience)? {
            return Ok(Heard::Nothing);
        }
        loop {
            if self.over.load(Ordering::SeqCst) {
                return Ok(Heard::End);
            }
            match read(&self.socket, &mut *buffer) {
                Ok(0) => return Ok(Heard::End),
                Ok(length) => return Ok(Heard::Bytes(length)),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for bytes and for a file descriptor that may come with them.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub(crate) fn receive_with_descriptor(
        &self,
        buffer: &mut [u8],
    ) -> Result<(Heard, Option<OwnedFd>), Errno> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let message = loop {
            let mut vectors = [IoSliceMut::new(buffer)];
            match recvmsg(&self.socket, &mut vectors, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        let mut descriptors = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        });
        let descriptor = descriptors.next().and_then(|mut descriptors| descriptors.next());
        let over = message.bytes == 0 || self.over.load(Ordering::SeqCst);
        let heard = if over { Heard::End } else { Heard::Bytes(message.bytes) };
        Ok((heard, descriptor))
    }

    /// Fills the buffer. False if the other side closed or stopped before.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub(crate) fn receive_all(
        &self,
        mut buffer: &mut [u8],
        patience: Option<Duration>,
    ) -> Result<bool, Errno> {
        while !buffer.is_empty() {
            let Heard::Bytes(length) = self.receive(buffer, patience)? else { return Ok(false) };
            let (_, rest) = buffer.split_at_mut(length);
            buffer = rest;
        }
        Ok(true)
    }

    /// Reads `count` bytes and drops them. False if they do not come.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub(crate) fn skip(&self, mut count: usize) -> Result<bool, Errno> {
        let mut dropped = [0; CHUNK];
        while count > 0 {
            let wanted = count.min(CHUNK);
            let Heard::Bytes(length) = self.receive(&mut dropped[..wanted], Some(PATIENCE))? else {
                return Ok(false);
            };
            count -= length;
        }
        Ok(true)
    }

    /// Sends everything.
    ///
    /// # Errors
    ///
    /// The connection is broken, or the other side takes nothing.
    pub(crate) fn send(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            match write(&self.socket, bytes) {
                Ok(length) => bytes = bytes.split_at(length).1,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_readable(&self, patience: Option<Duration>) -> Result<bool, Errno> {
        let socket = self.socket.as_fd();
        let limit = patience.map(Timespec::try_from).transpose().map_err(|_| Errno::INVAL)?;
        match poll(&mut [PollFd::new(&socket, PollFlags::IN)], limit.as_ref()) {
            Ok(ready) => Ok(ready != 0),
            Err(Errno::INTR) => Ok(patience.is_none()),
            Err(error) => Err(error),
        }
    }
}
