//! The protocol without the socket: records in, plaintext out, and the other way. Everything a TLS connection is beside
//! its socket, and `Send`.
//!
//! rustls is driven by its unbuffered interface, because it leaves every buffer to us: records are decrypted where they
//! were received, replies are encrypted into the buffer that is sent, and a connection that waits holds none. With the
//! buffered one each received byte is copied once more, and an idle connection keeps 4 KiB.

use rustls::CommonState;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic,
};

use super::failure::Failure;

/// What a record adds to its plaintext at most, in either version and any suite that is offered.
const RECORD_OVERHEAD_BYTES: usize = 40;

/// The most plaintext that a record carries, by the protocol.
const RECORD_PLAIN_BYTES: usize = 16 * 1024;

/// Room for an alert, and for a key update before it.
const ALERT_BYTES: usize = 128;

/// The most that a client may leave undecrypted: a message of the handshake that is not whole, or a record (17 KiB at
/// most). Anybody can send that much and stop, so it is what real clients need and no more: a ClientHello has some 2 KiB
/// with a key share of a post-quantum group, and a chain of ten certificates with RSA keys of 4096 bits some 20 KiB.
const CLIENT_UNDECRYPTED_MAX_BYTES: usize = 32 * 1024;

/// The same of a server, which was chosen: the longest message that rustls takes (64 KiB), and records around it.
const SERVER_UNDECRYPTED_MAX_BYTES: usize = 128 * 1024;

/// One end's state.
pub(super) struct Session {
    side: Side,
    /// Received, and not a whole record yet.
    undecrypted: Vec<u8>,
    /// Decrypted, and not read yet.
    pub(super) plain: Vec<u8>,
    /// Records to be sent. Besides what is encrypted here a peer cannot make it grow while nothing of it is taken: of
    /// its key updates rustls answers one until something is sent, and refuses renegotiation once.
    pub(super) out: Vec<u8>,
    /// The peer has said that nothing follows.
    pub(super) peer_closed: bool,
    /// We have said so.
    said_goodbye: bool,
    /// Nothing more can be received.
    failed: bool,
    heard: bool,
}

// rustls keeps both as large values; boxed they are one pointer in whatever holds a session.
enum Side {
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
}

impl Side {
    /// What the other end may leave undecrypted.
    fn undecrypted_max_bytes(&self) -> usize {
        match self {
            Self::Client(_) => SERVER_UNDECRYPTED_MAX_BYTES,
            Self::Server(_) => CLIENT_UNDECRYPTED_MAX_BYTES,
        }
    }
}

/// What one look at the protocol came to.
struct Step {
    /// Bytes at the front that are done with.
    used: usize,
    next: Next,
}

enum Next {
    /// Look again.
    Again,
    /// It waits for bytes.
    Blocked,
    Failed(rustls::Error),
}

impl Session {
    pub(super) fn client(connection: UnbufferedClientConnection) -> Self {
        Self::new(Side::Client(Box::new(connection)))
    }

    pub(super) fn server(connection: UnbufferedServerConnection) -> Self {
        Self::new(Side::Server(Box::new(connection)))
    }

    fn new(side: Side) -> Self {
        Self {
            side,
            undecrypted: Vec::new(),
            plain: Vec::new(),
            out: Vec::new(),
            peer_closed: false,
            said_goodbye: false,
            failed: false,
            heard: false,
        }
    }

    /// What both ends have agreed on.
    pub(super) fn common(&self) -> &CommonState {
        match &self.side {
            Side::Client(connection) => connection,
            Side::Server(connection) => connection,
        }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.common().is_handshaking()
    }

    /// Takes in what was received, and changes it on the way. What it says goes to `plain`, what is to be answered to
    /// `out`. Without bytes it begins the handshake, where that is ours to do.
    ///
    /// # Errors
    /// The connection is over; an alert that tells the peer lies in `out`.
    pub(super) fn take_in(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        self.check_first(bytes)?;
        if self.undecrypted.is_empty() {
            let used = self.process(bytes)?;
            self.undecrypted.extend_from_slice(&bytes[used..]);
        } else {
            self.undecrypted.extend_from_slice(bytes);
            let mut all = std::mem::take(&mut self.undecrypted);
            let used = self.process(&mut all)?;
            if used < all.len() {
                all.drain(..used);
                self.undecrypted = all;
            }
        }
        let most = self.side.undecrypted_max_bytes();
        match self.undecrypted.len() > most {
            true => Err(self.fail(Failure::TooLong(most))),
            false => Ok(()),
        }
    }

    /// Memory that what was received and cannot be decrypted yet takes.
    pub(super) fn undecrypted_bytes(&self) -> usize {
        self.undecrypted.capacity()
    }

    /// Encrypts `plain` behind what is to be sent already. The handshake must be over.
    pub(super) fn encrypt(&mut self, plain: &[u8]) -> Result<(), Failure> {
        let records = plain.len().div_ceil(RECORD_PLAIN_BYTES);
        let room = plain.len() + records * RECORD_OVERHEAD_BYTES + ALERT_BYTES;
        self.write(room, What::Data(plain))
    }

    /// Tells the peer that nothing follows, once.
    pub(super) fn say_goodbye(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.said_goodbye, true) || self.failed || self.is_handshaking() {
            return Ok(());
        }
        self.write(ALERT_BYTES, What::Goodbye)
    }

    /// The other end must begin with a handshake, or an alert: who speaks something else is told from who speaks bad TLS.
    fn check_first(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        const ALERT: u8 = 21;
        const HANDSHAKE: u8 = 22;
        let Some(&first) = bytes.first() else {
            return Ok(());
        };
        if std::mem::replace(&mut self.heard, true) || first == HANDSHAKE || first == ALERT {
            return Ok(());
        }
        self.failed = true;
        let begin = &bytes[..bytes.len().min(Failure::SHOWN_BYTES)];
        Err(Failure::NotTls {
            begins_with: begin.to_vec(),
        })
    }

    /// Goes through whole records; returns the bytes that are done with.
    fn process(&mut self, bytes: &mut [u8]) -> Result<usize, Failure> {
        let mut used = 0;
        loop {
            let step = self.step(&mut bytes[used..]);
            used += step.used;
            match step.next {
                Next::Again => {}
                // What comes behind the peer's goodbye means nothing.
                Next::Blocked if self.peer_closed => return Ok(bytes.len()),
                Next::Blocked => return Ok(used),
                Next::Failed(error) => {
                    self.collect_alerts(&mut bytes[used..]);
                    return Err(self.fail(error.into()));
                }
            }
        }
    }

    /// After an error what is to be sent is still handed out: the alert. Asked for more, rustls would read on.
    fn collect_alerts(&mut self, bytes: &mut [u8]) {
        while self.common().wants_write() {
            self.step(bytes);
        }
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.failed = true;
        self.undecrypted = Vec::new();
        failure
    }

    fn step(&mut self, bytes: &mut [u8]) -> Step {
        let (plain, out) = (&mut self.plain, &mut self.out);
        let closed = &mut self.peer_closed;
        match &mut self.side {
            Side::Client(connection) => {
                handle(connection.process_tls_records(bytes), plain, out, closed)
            }
            Side::Server(connection) => {
                handle(connection.process_tls_records(bytes), plain, out, closed)
            }
        }
    }

    /// Has rustls write `what` behind what is to be sent; `room` bytes will do, unless rustls says otherwise.
    fn write(&mut self, room: usize, what: What<'_>) -> Result<(), Failure> {
        if self.failed {
            return Err(rustls::Error::HandshakeNotComplete.into());
        }
        // It looks again at what it has of a record, so that must be handed in.
        let mut undecrypted = std::mem::take(&mut self.undecrypted);
        let written = loop {
            let (plain, out) = (&mut self.plain, &mut self.out);
            let closed = &mut self.peer_closed;
            let step = match &mut self.side {
                Side::Client(connection) => {
                    let status = connection.process_tls_records(&mut undecrypted);
                    write_or_handle(status, room, what, plain, out, closed)
                }
                Side::Server(connection) => {
                    let status = connection.process_tls_records(&mut undecrypted);
                    write_or_handle(status, room, what, plain, out, closed)
                }
            };
            let Some(step) = step else {
                break Ok(());
            };
            undecrypted.drain(..step.used);
            match step.next {
                Next::Again => {}
                Next::Blocked => break Err(rustls::Error::HandshakeNotComplete),
                Next::Failed(error) => break Err(error),
            }
        };
        if !undecrypted.is_empty() {
            self.undecrypted = undecrypted;
        }
        written.map_err(|error| self.fail(error.into()))
    }

    /// Puts bytes before those unread.
    pub(super) fn put_back(&mut self, mut bytes: Vec<u8>) {
        bytes.append(&mut self.plain);
        self.plain = bytes;
    }
}

/// What is to be written.
#[derive(Clone, Copy)]
enum What<'a> {
    Data(&'a [u8]),
    Goodbye,
}

impl What<'_> {
    fn write<D>(
        self,
        traffic: &mut WriteTraffic<'_, D>,
        out: &mut [u8],
    ) -> Result<usize, EncryptError> {
        match self {
            What::Data(plain) => traffic.encrypt(plain, out),
            What::Goodbye => traffic.queue_close_notify(out),
        }
    }
}

/// Does what the protocol asks for; `plain` and `out` get what comes of it.
fn handle<D>(
    status: UnbufferedStatus<'_, '_, D>,
    plain: &mut Vec<u8>,
    out: &mut Vec<u8>,
    peer_closed: &mut bool,
) -> Step {
    let mut used = status.discard;
    let next = match status.state {
        Err(error) => Next::Failed(error),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => {
            let mut next = Next::Again;
            while let Some(record) = traffic.next_record() {
                match record {
                    Ok(record) => {
                        used += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                    Err(error) => next = Next::Failed(error),
                }
            }
            next
        }
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            let written = append(out, ALERT_BYTES, |room| match data.encode(room) {
                Ok(bytes) => Ok(Fitted::All(bytes)),
                Err(EncodeError::InsufficientSize(size)) => Ok(Fitted::Wants(size.required_size)),
                Err(error) => Err(rustls::Error::General(error.to_string())),
            });
            written.map_or_else(Next::Failed, |()| Next::Again)
        }
        Ok(ConnectionState::TransmitTlsData(transmitted)) => {
            // It lies in `out`, in order with all else.
            transmitted.done();
            Next::Again
        }
        Ok(ConnectionState::PeerClosed) => {
            *peer_closed = true;
            Next::Again
        }
        Ok(ConnectionState::Closed) => {
            *peer_closed = true;
            Next::Blocked
        }
        Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => Next::Blocked,
        Ok(other) => Next::Failed(rustls::Error::General(format!(
            "{other:?} was neither offered nor asked for"
        ))),
    };
    Step { used, next }
}

/// Writes `what` where that is possible now (`None`: done), and else does what must come first.
fn write_or_handle<D>(
    status: UnbufferedStatus<'_, '_, D>,
    room: usize,
    what: What<'_>,
    plain: &mut Vec<u8>,
    out: &mut Vec<u8>,
    peer_closed: &mut bool,
) -> Option<Step> {
    let used = status.discard;
    match status.state {
        Ok(ConnectionState::WriteTraffic(mut traffic)) => {
            let written = append(out, room, |room| match what.write(&mut traffic, room) {
                Ok(bytes) => Ok(Fitted::All(bytes)),
                Err(EncryptError::InsufficientSize(size)) => Ok(Fitted::Wants(size.required_size)),
                Err(error) => Err(rustls::Error::General(error.to_string())),
            });
            written.err().map(|error| Step {
                used,
                next: Next::Failed(error),
            })
        }
        _ => Some(handle(status, plain, out, peer_closed)),
    }
}

/// What a write into a buffer came to.
enum Fitted {
    All(usize),
    Wants(usize),
}

/// Has `write` write behind what lies in `out`, in as much room as it wants.
fn append(
    out: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<Fitted, rustls::Error>,
) -> Result<(), rustls::Error> {
    let start = out.len();
    loop {
        out.resize(start + room, 0);
        match write(&mut out[start..]) {
            Ok(Fitted::All(bytes)) => {
                out.truncate(start + bytes);
                return Ok(());
            }
            Ok(Fitted::Wants(bytes)) if bytes > room => room = bytes,
            Ok(Fitted::Wants(_)) => unreachable!("there was room for it"),
            Err(error) => {
                out.truncate(start);
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests;
