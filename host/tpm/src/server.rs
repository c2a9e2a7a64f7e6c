//! Sockets, connections and threads.
//!
//! Each connection has a thread; the device takes one command at a time, so a
//! connection that is idle, slow or sends rubbish keeps nobody else waiting.
//! There are at most [`MOST_CONNECTIONS`] of them: when one more comes, the one
//! that was idle for longest is closed. What a connection takes is some
//! kilobytes and a thread's stack, whatever it sends.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::appliance::{Appliance, Shared, turn};
use crate::ending::Ending;
use crate::link::Link;
use crate::simulator;
use crate::swtpm::{control, data};
use crate::unix_socket::UnixSocket;

/// Connections that are served at a time.
pub const MOST_CONNECTIONS: usize = 32;

/// How long nobody is accepted when the system has no room for one more.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(50);

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    SwtpmData,
    SwtpmControl,
    SimulatorCommands,
    SimulatorPlatform,
}

/// When the server ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// When someone asks for it.
    UntilStopped,
    /// Also when a client leaves that could send commands.
    UntilClientLeaves,
}

/// Sockets that listen, and what is spoken on them.
#[derive(Default)]
pub struct Listeners(Vec<(Listener, Service)>);

enum Listener {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

impl Listeners {
    /// Adds swtpm's channels on TCP: data at this address, control at the next
    /// port. Port 0 takes a free one; the answer tells which two they are.
    ///
    /// # Errors
    ///
    /// A port is taken or may not be used.
    pub fn swtpm(&mut self, address: SocketAddr) -> io::Result<(SocketAddr, SocketAddr)> {
        self.pair(address, (Service::SwtpmData, Service::SwtpmControl))
    }

    /// Adds the ports of Microsoft's simulator: commands at this address, the
    /// platform at the next port. Port 0 takes a free one; the answer tells
    /// which two they are.
    ///
    /// # Errors
    ///
    /// A port is taken or may not be used.
    pub fn simulator(&mut self, address: SocketAddr) -> io::Result<(SocketAddr, SocketAddr)> {
        self.pair(address, (Service::SimulatorCommands, Service::SimulatorPlatform))
    }

    /// Adds swtpm's control channel on a Unix socket; data channels come over
    /// it. That is what QEMU connects to.
    ///
    /// # Errors
    ///
    /// The socket cannot be made, or another program listens there.
    pub fn swtpm_unix(&mut self, path: &std::path::Path) -> io::Result<()> {
        self.0.push((Listener::Unix(UnixSocket::listen(path)?), Service::SwtpmControl));
        Ok(())
    }

    /// Adds swtpm's data channel on a Unix socket.
    ///
    /// # Errors
    ///
    /// As [`swtpm_unix`](Self::swtpm_unix).
    pub fn swtpm_unix_commands(&mut self, path: &std::path::Path) -> io::Result<()> {
        self.0.push((Listener::Unix(UnixSocket::listen(path)?), Service::SwtpmData));
        Ok(())
    }

    fn pair(
        &mut self,
        address: SocketAddr,
        (first, second): (Service, Service),
    ) -> io::Result<(SocketAddr, SocketAddr)> {
        let (one, two) = if address.port() == 0 { free_pair(address)? } else { two(address)? };
        let addresses = (one.local_addr()?, two.local_addr()?);
        self.0.push((Listener::Tcp(one), first));
        self.0.push((Listener::Tcp(two), second));
        Ok(addresses)
    }

    /// Serves until it is asked to end: by a request, or by a byte or the end of
    /// `stop`. Commands under way are finished, their responses are sent.
    ///
    /// # Errors
    ///
    /// The operating system refuses to wait or to accept.
    pub fn serve(
        self,
        appliance: Appliance,
        lifetime: Lifetime,
        stop: BorrowedFd<'_>,
    ) -> io::Result<()> {
        let (wake, woken) = UnixStream::pair()?;
        let room = Room {
            shared: Mutex::new(appliance),
            locality: AtomicU8::new(0),
            lifetime,
            links: Mutex::default(),
            count: AtomicU64::new(0),
            ending: AtomicBool::new(false),
            wake,
        };
        std::thread::scope(|scope| {
            let result = accept(&self.0, scope, &room, stop, woken.as_fd());
            room.close_all();
            result
        })?;
        turn(&room.shared).power_off();
        Ok(())
    }
}

fn two(address: SocketAddr) -> io::Result<(TcpListener, TcpListener)> {
    let next = address.port().checked_add(1).ok_or_else(|| {
        io::Error::other("there is no port behind 65535, and two are needed: take a lower one")
    })?;
    Ok((TcpListener::bind(address)?, TcpListener::bind(SocketAddr::new(address.ip(), next))?))
}

/// Two free ports, one behind the other.
fn free_pair(address: SocketAddr) -> io::Result<(TcpListener, TcpListener)> {
    const TRIES: u32 = 64;
    for _ in 0..TRIES {
        let one = TcpListener::bind(address)?;
        let Some(next) = one.local_addr()?.port().checked_add(1) else { continue };
        if let Ok(two) = TcpListener::bind(SocketAddr::new(address.ip(), next)) {
            return Ok((one, two));
        }
    }
    Err(io::Error::other("no two free ports were found one behind the other"))
}

/// What all connections share.
struct Room {
    shared: Shared,
    /// Where commands of swtpm's data channels come from.
    locality: AtomicU8,
    lifetime: Lifetime,
    links: Mutex<BTreeMap<u64, Arc<Link>>>,
    /// Connections there have been.
    count: AtomicU64,
    ending: AtomicBool,
    /// A byte here ends the waiting for connections.
    wake: UnixStream,
}

impl Room {
    fn links(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in. One that has been idle for longest makes room.
    /// None if the program is ending.
    fn admit(&self, socket: OwnedFd) -> Result<Option<Arc<Link>>, Errno> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let link = Arc::new(Link::new(number, socket)?);
        let mut links = self.links();
        if self.ending.load(Ordering::SeqCst) {
            return Ok(None);
        }
        if links.len() >= MOST_CONNECTIONS {
            let idle = links.values().min_by_key(|link| link.last_used()).map(|link| link.number);
            if let Some(link) = idle.and_then(|number| links.remove(&number)) {
                link.close();
            }
        }
        links.insert(number, Arc::clone(&link));
        Ok(Some(link))
    }

    fn dismiss(&self, link: &Link) {
        link.close();
        self.links().remove(&link.number);
    }

    fn close_all(&self) {
        // Both under the lock, so that nobody is admitted in between.
        let links = self.links();
        self.ending.store(true, Ordering::SeqCst);
        links.values().for_each(|link| link.retire());
    }

    fn stop(&self) {
        // If the pipe is full, it has been asked for.
        let _ = (&self.wake).write(&[0]);
    }
}

/// Accepts connections until the end is asked for.
fn accept<'scope>(
    listeners: &[(Listener, Service)],
    scope: &'scope Scope<'scope, '_>,
    room: &'scope Room,
    stop: BorrowedFd<'_>,
    woken: BorrowedFd<'_>,
) -> io::Result<()> {
    loop {
        let mut polled =
            vec![PollFd::new(&stop, PollFlags::IN), PollFd::new(&woken, PollFlags::IN)];
        polled.extend(
            listeners
                .iter()
                .map(|(listener, _)| PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)),
        );
        match poll(&mut polled, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
        let Some(([stop, woken], ready)) = ready.split_first_chunk() else { return Ok(()) };
        if *stop || *woken {
            return Ok(());
        }
        for ((listener, service), _) in listeners.iter().zip(ready).filter(|(_, ready)| **ready) {
            match listener.accept() {
                Ok(socket) => attend(scope, room, *service, socket),
                Err(error) if is_shortage(&error) => {
                    turn(&room.shared)
                        .journal()
                        .note(&format!("a connection cannot be accepted: {error}"));
                    std::thread::sleep(SHORTAGE_PAUSE);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether an attempt to accept failed for reasons of that connection [accept(2):
/// errors of the network that wait on the new socket].
fn is_passing(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|error| {
        matches!(
            error,
            Errno::CONNABORTED
                | Errno::CONNRESET
                | Errno::INTR
                | Errno::AGAIN
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
                | Errno::NONET
                | Errno::OPNOTSUPP
        )
    })
}

/// Whether it failed because there are too many files or too little memory, which
/// connections that end give back.
fn is_shortage(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|error| {
        matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)
    })
}

impl Listener {
    fn accept(&self) -> io::Result<OwnedFd> {
        match self {
            Self::Tcp(listener) => listener.accept().map(|(stream, _)| stream.into()),
            Self::Unix(socket) => socket.accept(),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

/// Serves a connection in a thread of its own. One that cannot be served is
/// closed.
fn attend<'scope>(
    scope: &'scope Scope<'scope, '_>,
    room: &'scope Room,
    service: Service,
    socket: OwnedFd,
) {
    let note = |text: &str| turn(&room.shared).journal().note(text);
    let link = match room.admit(socket) {
        Ok(Some(link)) => link,
        Ok(None) => return,
        Err(error) => return note(&format!("a connection cannot be served: {error}")),
    };
    note(&format!("connection {}: {service:?}", link.number));
    let own = Arc::clone(&link);
    let thread = Builder::new().name(format!("connection {}", link.number));
    let spawned = thread.spawn_scoped(scope, move || {
        let ending = converse(scope, room, service, &own);
        room.dismiss(&own);
        let text = match ending {
            Ok(_) => format!("connection {} ends", own.number),
            Err(error) => format!("connection {} ends: {error}", own.number),
        };
        turn(&room.shared).journal().note(&text);
        let commands = matches!(service, Service::SwtpmData | Service::SimulatorCommands);
        if ending == Ok(Ending::Stop) || (commands && room.lifetime == Lifetime::UntilClientLeaves)
        {
            room.stop();
        }
    });
    if let Err(error) = spawned {
        room.dismiss(&link);
        note(&format!("connection {} cannot be served: {error}", link.number));
    }
}

fn converse<'scope>(
    scope: &'scope Scope<'scope, '_>,
    room: &'scope Room,
    service: Service,
    link: &Link,
) -> Result<Ending, Errno> {
    match service {
        Service::SwtpmData => data::serve(link, &room.shared, &room.locality),
        Service::SwtpmControl => {
            let adopt = |socket| attend(scope, room, Service::SwtpmData, socket);
            let context =
                control::Context { shared: &room.shared, locality: &room.locality, adopt: &adopt };
            control::serve(link, &context)
        }
        Service::SimulatorCommands => simulator::serve_commands(link, &room.shared),
        Service::SimulatorPlatform => simulator::serve_platform(link, &room.shared),
    }
}

#[cfg(test)]
mod tests;
