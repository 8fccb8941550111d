//! A client that speaks TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use corelane_wire::Value;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::conn::encode;
use crate::server::PATIENCE;

/// A connection with TLS of another make than the server's way of using it: rustls's blocking stream.
pub(super) struct TlsConn {
    pub(super) stream: StreamOwned<ClientConnection, TcpStream>,
    unread: Vec<u8>,
}

impl TlsConn {
    pub(super) fn open(address: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let name = "localhost".try_into().expect("a name");
        let connection = ClientConnection::new(config, name).expect("a client");
        let stream = StreamOwned::new(connection, socket);
        let mut conn = Self {
            stream,
            unread: Vec::new(),
        };
        // A client of TLS 1.3 is done before the server has looked at its certificate.
        conn.write(&encode("PING"))?;
        match conn.try_reply()?.as_str() {
            "+PONG\r\n" => Ok(conn),
            other => Err(std::io::Error::other(other.to_owned())),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    pub(super) fn try_reply(&mut self) -> std::io::Result<String> {
        loop {
            if let Some(length) = corelane_wire::skip(&self.unread).expect("a reply") {
                let reply: Vec<u8> = self.unread.drain(..length).collect();
                return Ok(String::from_utf8_lossy(&reply).into_owned());
            }
            let mut chunk = [0; 64 * 1024];
            match self.stream.read(&mut chunk)? {
                0 => return Ok(String::new()),
                bytes => self.unread.extend_from_slice(&chunk[..bytes]),
            }
        }
    }

    #[track_caller]
    pub(super) fn reply(&mut self) -> String {
        self.try_reply().expect("a reply")
    }

    #[track_caller]
    pub(super) fn call(&mut self, line: &str) -> String {
        self.write(&encode(line)).expect("the server takes bytes");
        self.reply()
    }

    #[track_caller]
    pub(super) fn value(&mut self, line: &str) -> Value {
        let reply = self.call(line);
        match corelane_wire::Decoder::new().decode(reply.as_bytes()) {
            Ok(Some((value, _))) => value,
            other => panic!("not a value: {other:?}"),
        }
    }

    /// A counter of `INFO stats`; 0 where it is not named.
    pub(super) fn counter(&mut self, name: &str) -> u64 {
        let info = self.call("INFO stats");
        let value = info.split(&format!("\n{name}:")).nth(1);
        value.map_or(0, |value| {
            let digits = value.split('\r').next().unwrap_or_default();
            digits.parse().expect("a number")
        })
    }

    pub(super) fn shown_certificate(&self) -> Vec<u8> {
        self.stream.conn.peer_certificates().expect("it showed one")[0].to_vec()
    }
}
