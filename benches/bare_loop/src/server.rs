//! The loop: one ring, one thread, one system call per turn.

use std::io;
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use io_uring::types::Fd;
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::answer::Source;
use crate::buffers::{Buffers, GROUP};

/// Entries of the submission queue; the completion queue has four times as many.
const ENTRIES: u32 = 1024;

/// Wait for the whole buffer to be sent: `MSG_WAITALL`.
const WAIT_ALL: i32 = 0x100;

/// The kernel found no buffer for what arrived: `ENOBUFS`.
const NO_BUFFERS: i32 = 105;

/// What a completion belongs to: kind in the upper half of its user data, connection in the lower.
const ACCEPT: u64 = 0;
const RECEIVE: u64 = 1 << 32;
const SEND: u64 = 2 << 32;

struct Connection {
    /// Closed on drop.
    socket: OwnedFd,
    /// The beginning of a command whose end has not come.
    partial: Vec<u8>,
    /// Replies not being sent yet.
    out: Vec<u8>,
    /// Replies being sent; not touched until the send has completed.
    sending: Vec<u8>,
    send_in_flight: bool,
    receive_in_flight: bool,
    closing: bool,
}

struct Server {
    // Before the buffers, so that it is dropped before them.
    ring: IoUring,
    buffers: Buffers,
    listener: TcpListener,
    source: Source,
    connections: Vec<Option<Connection>>,
}

/// Serves `listener` from `source` until the ring fails.
pub(crate) fn serve(listener: TcpListener, source: Source) -> io::Result<()> {
    let ring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(4 * ENTRIES)
        .build(ENTRIES)?;
    // SAFETY: the two go into one struct whose fields drop in order, the ring first.
    let buffers = unsafe { Buffers::register(&ring.submitter())? };
    let connections = Vec::new();
    let mut server = Server {
        ring,
        buffers,
        listener,
        source,
        connections,
    };
    server.start_accept()?;
    let mut completions: Vec<cqueue::Entry> = Vec::new();
    loop {
        server.ring.submit_and_wait(1)?;
        completions.extend(server.ring.completion());
        for completion in completions.drain(..) {
            server.complete(&completion)?;
        }
    }
}

impl Server {
    fn complete(&mut self, completion: &cqueue::Entry) -> io::Result<()> {
        let data = completion.user_data();
        let index = (data & u64::from(u32::MAX)) as usize;
        match data & !u64::from(u32::MAX) {
            ACCEPT => self.accepted(completion),
            RECEIVE => self.received(index, completion),
            _ => self.sent(index, completion),
        }
    }

    fn accepted(&mut self, completion: &cqueue::Entry) -> io::Result<()> {
        if !cqueue::more(completion.flags()) {
            self.start_accept()?;
        }
        let Ok(fd) = u32::try_from(completion.result()) else {
            return Ok(());
        };
        // SAFETY: a fresh descriptor that the kernel has just made for this accept.
        let socket = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
        set_nodelay(&socket)?;
        let connection = Connection {
            socket,
            partial: Vec::new(),
            out: Vec::new(),
            sending: Vec::new(),
            send_in_flight: false,
            receive_in_flight: false,
            closing: false,
        };
        let free = self.connections.iter().position(Option::is_none);
        let index = free.unwrap_or(self.connections.len());
        if index == self.connections.len() {
            self.connections.push(None);
        }
        self.connections[index] = Some(connection);
        self.start_receive(index)
    }

    fn received(&mut self, index: usize, completion: &cqueue::Entry) -> io::Result<()> {
        let result = completion.result();
        let Some(connection) = self.connections[index].as_mut() else {
            return Ok(());
        };
        connection.receive_in_flight = cqueue::more(completion.flags());
        if let Some(id) = cqueue::buffer_select(completion.flags()) {
            let bytes = self.buffers.filled(id, result.max(0) as usize);
            connection.closing |= !connection.take(bytes, &mut self.source);
            self.buffers.offer(id);
        }
        connection.closing |= result == 0 || (result < 0 && result != -NO_BUFFERS);
        self.go_on(index)
    }

    fn sent(&mut self, index: usize, completion: &cqueue::Entry) -> io::Result<()> {
        let Some(connection) = self.connections[index].as_mut() else {
            return Ok(());
        };
        connection.send_in_flight = false;
        connection.closing |= completion.result() != connection.sending.len() as i32;
        connection.sending.clear();
        self.go_on(index)
    }

    /// Starts what the connection lacks; frees a closing one once nothing is in flight for it.
    fn go_on(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = &self.connections[index] else {
            return Ok(());
        };
        if !connection.closing {
            self.start_receive(index)?;
            return self.start_send(index);
        }
        if connection.receive_in_flight || connection.send_in_flight {
            shut_down(&connection.socket);
        } else {
            self.connections[index] = None;
        }
        Ok(())
    }

    fn start_accept(&mut self) -> io::Result<()> {
        let fd = Fd(self.listener.as_raw_fd());
        self.push(&opcode::AcceptMulti::new(fd).build().user_data(ACCEPT))
    }

    fn start_receive(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = self.connections[index].as_mut() else {
            return Ok(());
        };
        if connection.receive_in_flight {
            return Ok(());
        }
        connection.receive_in_flight = true;
        let fd = Fd(connection.socket.as_raw_fd());
        let operation = opcode::RecvMulti::new(fd, GROUP).build();
        self.push(&operation.user_data(RECEIVE | index as u64))
    }

    fn start_send(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = self.connections[index].as_mut() else {
            return Ok(());
        };
        if connection.send_in_flight || connection.out.is_empty() {
            return Ok(());
        }
        std::mem::swap(&mut connection.out, &mut connection.sending);
        connection.send_in_flight = true;
        let fd = Fd(connection.socket.as_raw_fd());
        let bytes = &connection.sending;
        let operation = opcode::Send::new(fd, bytes.as_ptr(), bytes.len() as u32).flags(WAIT_ALL);
        self.push(&operation.build().user_data(SEND | index as u64))
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // SAFETY: descriptors live in their connection until nothing is in flight for it; a send's
        // bytes lie in `sending`, which is neither changed nor freed before its completion.
        while unsafe { self.ring.submission().push(entry) }.is_err() {
            self.ring.submit()?;
        }
        Ok(())
    }
}

impl Connection {
    /// Answers what is complete with `bytes` and keeps the rest. False if it is no command.
    fn take(&mut self, bytes: &[u8], source: &mut Source) -> bool {
        if self.partial.is_empty() {
            let Some(answered) = source.answer(bytes, &mut self.out) else {
                return false;
            };
            self.partial.extend_from_slice(&bytes[answered..]);
        } else {
            self.partial.extend_from_slice(bytes);
            let Some(answered) = source.answer(&self.partial, &mut self.out) else {
                return false;
            };
            self.partial.drain(..answered);
        }
        true
    }
}

fn set_nodelay(socket: &OwnedFd) -> io::Result<()> {
    with_stream(socket, |stream| stream.set_nodelay(true))
}

/// Fails only if the peer is gone already, which the receive tells as well.
fn shut_down(socket: &OwnedFd) {
    let _ = with_stream(socket, |stream| stream.shutdown(std::net::Shutdown::Both));
}

/// Lends the descriptor to `std` for one call.
fn with_stream<T>(socket: &OwnedFd, f: impl FnOnce(&std::net::TcpStream) -> T) -> T {
    // SAFETY: the descriptor is a living TCP socket, and `ManuallyDrop` leaves it open.
    let stream = unsafe { std::net::TcpStream::from_raw_fd(socket.as_raw_fd()) };
    f(&ManuallyDrop::new(stream))
}
