//! A connection that asks one thing at a time.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use corelane_wire::{Decoder, Value, encode_command};

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client.
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// What `INFO` said: numbers by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Info(BTreeMap<String, f64>);

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub(crate) fn connect(port: u16) -> Result<Self, String> {
        let open = || -> io::Result<TcpStream> {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = open().map_err(|error| format!("cannot connect to port {port}: {error}"))?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// Sends a command given as words and waits for its reply.
    ///
    /// # Errors
    /// If the connection fails, or what comes is no reply. An error reply is a value.
    pub(crate) fn call(&mut self, line: &str) -> Result<Value, String> {
        let mut request = Vec::new();
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        encode_command(&mut request, words);
        let failed = |error: io::Error| format!("{line}: {error}");
        self.stream.write_all(&request).map_err(failed)?;
        let mut decoder = Decoder::new();
        loop {
            let decoded = decoder.decode(&self.unread);
            if let Some((value, len)) = decoded.map_err(|error| format!("{line}: {error}"))? {
                self.unread.drain(..len);
                return Ok(value);
            }
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk).map_err(failed)? {
                0 => return Err(format!("{line}: the server closed the connection")),
                bytes => self.unread.extend_from_slice(&chunk[..bytes]),
            }
        }
    }

    /// The bare connection.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// The numbers of these sections of `INFO`.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub(crate) fn info(&mut self, sections: &str) -> Result<Info, String> {
        let value = self.call(&format!("INFO {sections}"))?;
        let text = value.as_bytes().unwrap_or_default();
        Ok(Info::parse(&String::from_utf8_lossy(text)))
    }
}

impl Info {
    /// Lines `name:12` and `name:calls=12,…`; the latter under `name.calls`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut numbers = BTreeMap::new();
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            if let Ok(number) = value.trim().parse() {
                numbers.insert(name.to_owned(), number);
            }
            for (field, number) in value.trim().split(',').filter_map(|f| f.split_once('=')) {
                if let Ok(number) = number.parse() {
                    numbers.insert(format!("{name}.{field}"), number);
                }
            }
        }
        Self(numbers)
    }

    /// A number by its name, if the server has told one.
    pub(crate) fn find(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// A number by its name; 0 where the server has none such.
    pub(crate) fn get(&self, name: &str) -> f64 {
        self.find(name).unwrap_or(0.0)
    }

    /// The sum of all numbers whose names these are beginning and end of.
    pub(crate) fn sum(&self, prefix: &str, suffix: &str) -> f64 {
        let named = |name: &str| name.starts_with(prefix) && name.ends_with(suffix);
        self.0
            .iter()
            .filter(|(name, _)| named(name))
            .map(|(_, number)| number)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_read() {
        let info = Info::parse(
            "# Stats\r\na:12\r\nb:x\r\ncmdstat_get:calls=3,usec=4\r\ncmdstat_set:calls=2\r\n",
        );
        assert_eq!((info.get("a"), info.get("b")), (12.0, 0.0));
        assert_eq!(info.sum("cmdstat_", ".calls"), 5.0);
    }
}
