//! Corelane's own counters, from `INFO shards`: hops and wakes need no tracing to be counted.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde::Serialize;

use super::child::Server;
use super::server::Kind;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Counters since the server began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    commands: f64,
    hops: f64,
    wakes: f64,
}

/// What the shards of one server did for each other, per request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Mesh {
    /// Commands that were sent to another shard.
    pub(crate) hops: f64,
    /// Wakes of a sleeping shard.
    pub(crate) wakes: f64,
}

impl Counters {
    /// Asks a Corelane; nothing from other servers, or if the answer lacks a counter.
    pub(crate) fn read(server: &Server) -> Option<Self> {
        if server.contender.server != Kind::Corelane {
            return None;
        }
        parse(&ask(server.port).ok()?)
    }

    /// Per request since `earlier`, if there were any.
    pub(crate) fn since(self, earlier: Self) -> Option<Mesh> {
        let requests = self.commands - earlier.commands;
        (requests > 0.0).then(|| Mesh {
            hops: (self.hops - earlier.hops) / requests,
            wakes: (self.wakes - earlier.wakes) / requests,
        })
    }
}

fn ask(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"*3\r\n$4\r\nINFO\r\n$5\r\nstats\r\n$6\r\nshards\r\n")?;
    let mut reader = BufReader::new(stream);
    let mut header = String::new();
    reader.read_line(&mut header)?;
    let bytes = header
        .trim()
        .strip_prefix('$')
        .and_then(|n| n.parse::<u64>().ok());
    let mut text = String::new();
    reader.take(bytes.unwrap_or(0)).read_to_string(&mut text)?;
    Ok(text)
}

fn parse(text: &str) -> Option<Counters> {
    let field = |name: &str| {
        let value = |line: &str| {
            line.strip_prefix(name)?
                .strip_prefix(':')?
                .trim()
                .parse()
                .ok()
        };
        text.lines().find_map(value)
    };
    Some(Counters {
        commands: field("total_commands_processed")?,
        hops: field("hops")?,
        wakes: field("mesh_wakes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_and_divided() {
        let text = |commands: u32, hops: u32, wakes: u32| {
            format!(
                "# Stats\r\ntotal_commands_processed:{commands}\r\nhops:{hops}\r\nmesh_wakes:{wakes}\r\n"
            )
        };
        let earlier = parse(&text(100, 10, 1)).unwrap();
        let later = parse(&text(300, 110, 6)).unwrap();
        assert_eq!(
            later.since(earlier),
            Some(Mesh {
                hops: 0.5,
                wakes: 0.025
            })
        );
        assert_eq!(later.since(later), None);
        assert!(parse("hops:1").is_none());
    }
}
