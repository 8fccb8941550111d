//! A client that writes what it is given, byte by byte if need be, and reads what comes.

use corelane::net::{Addr, Stream};

/// A connection to a server under test.
pub(crate) struct Client {
    stream: Stream,
    /// Received and not yet taken.
    unread: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(addr: &Addr) -> Self {
        let stream = Stream::connect(addr).await.expect("the server listens");
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.stream.send_all(bytes.into()).await.expect("sent");
    }

    /// As [`send`](Self::send), to a server that may have closed.
    pub(crate) async fn try_send(&mut self, bytes: impl Into<Vec<u8>>) {
        let _ = self.stream.send_all(bytes.into()).await;
    }

    /// Starts a send and does not wait for it.
    pub(crate) fn start_send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.stream.start_send(bytes.into());
    }

    /// One response with a `content-length`: its head and its body.
    pub(crate) async fn response(&mut self) -> (String, Vec<u8>) {
        let head = loop {
            match self.unread.windows(4).position(|end| end == b"\r\n\r\n") {
                Some(at) => break self.unread.drain(..at + 4).collect::<Vec<u8>>(),
                None => assert!(self.receive().await, "the stream ends within a head"),
            }
        };
        let head = String::from_utf8(head).expect("a head is ASCII");
        let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
        while self.unread.len() < length {
            assert!(self.receive().await, "the stream ends within a body");
        }
        (head, self.unread.drain(..length).collect())
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> String {
        while self.receive().await {}
        String::from_utf8(std::mem::take(&mut self.unread)).expect("text")
    }

    /// Whether more has come; a reset counts as the end.
    async fn receive(&mut self) -> bool {
        let chunk = self.stream.recv().await;
        let chunk = chunk.as_deref().unwrap_or(&[]);
        self.unread.extend_from_slice(chunk);
        !chunk.is_empty()
    }
}

/// A header's value.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value)
}
