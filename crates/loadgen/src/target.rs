//! A server and the way to it: its address, what is said to it first, and TLS.

mod client;
mod options;
mod tls;

use std::io;
use std::net::ToSocketAddrs;

use corelane::net::{Addr, Stream};
use corelane::tls::Transport;
use corelane_wire::{encode_command, skip};

pub use client::{Client, Dialer, talk};
pub use options::{ConnectionOptions, ServerOptions, TlsOptions};

use self::tls::Tls;
use crate::error::Error;

/// The server and what is said to it first.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: Addr,
    greeting: Vec<Greeting>,
    tls: Option<Tls>,
    /// How the address is shown.
    pub(crate) name: String,
}

/// A command that every connection sends before it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Greeting {
    command: &'static str,
    args: Vec<String>,
}

impl Target {
    /// Resolves the server's name, and reads what TLS takes. Blocks for that.
    ///
    /// # Errors
    /// [`Error::Option`] names the option that is wrong, [`Error::Resolve`] an unknown host.
    pub(crate) fn new(options: &ConnectionOptions, resp3: bool, db: u32) -> Result<Self, Error> {
        let ConnectionOptions { server, tls } = options;
        let (address, name) = match &server.socket {
            Some(path) => (Addr::Unix(path.clone()), path.display().to_string()),
            None => (resolve(&server.host, server.port)?, host_and_port(server)),
        };
        Ok(Self {
            address,
            greeting: greeting(server, resp3, db),
            tls: Tls::new(tls, &server.host)?,
            name,
        })
    }

    /// Connects and greets the server.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Refused`].
    pub(crate) async fn connect(&self) -> Result<Transport, Error> {
        let failed = |source| Error::Connect {
            target: self.name.clone(),
            source,
            question: "is the server running there?",
        };
        let unanswered = |source| Error::Connect {
            target: self.name.clone(),
            question: match may_want_tls(&source, self.tls.is_some()) {
                true => "is the server running there, or does it want --tls?",
                false => "is the server running there?",
            },
            source,
        };
        let stream = Stream::connect(&self.address).await.map_err(failed)?;
        if matches!(self.address, Addr::Tcp(_)) {
            stream.set_nodelay(true).map_err(failed)?;
        }
        let mut stream = match &self.tls {
            None => stream.into(),
            Some(tls) => tls
                .over(stream)
                .await
                .map_err(|error| failed(error.into()))?,
        };
        for greeting in &self.greeting {
            let refusal = greet(&mut stream, greeting).await.map_err(unanswered)?;
            if let Some(reply) = refusal {
                return Err(Error::Refused {
                    target: self.name.clone(),
                    command: greeting.command,
                    reply,
                });
            }
        }
        Ok(stream)
    }

    /// Whether the server has answered something once it is connected to.
    pub(crate) fn is_greeted(&self) -> bool {
        !self.greeting.is_empty()
    }
}

fn host_and_port(options: &ServerOptions) -> String {
    let ServerOptions { host, port, .. } = options;
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn resolve(host: &str, port: u16) -> Result<Addr, Error> {
    let unknown = |source| Error::Resolve {
        host: host.into(),
        source,
    };
    let mut addresses = (host, port).to_socket_addrs().map_err(unknown)?;
    let first = addresses.next().map(Addr::Tcp);
    first.ok_or_else(|| unknown(std::io::ErrorKind::NotFound.into()))
}

/// HELLO logs in by itself, so AUTH is for RESP2 only.
fn greeting(options: &ServerOptions, resp3: bool, db: u32) -> Vec<Greeting> {
    let mut commands = Vec::new();
    let user = options.user.clone();
    match (resp3, options.password.clone()) {
        (true, None) => commands.push(Greeting {
            command: "HELLO",
            args: vec!["3".into()],
        }),
        (true, Some(password)) => {
            let user = user.unwrap_or_else(|| "default".into());
            let args = vec!["3".into(), "AUTH".into(), user, password];
            commands.push(Greeting {
                command: "HELLO",
                args,
            });
        }
        (false, Some(password)) => {
            let args = user.into_iter().chain([password]).collect();
            commands.push(Greeting {
                command: "AUTH",
                args,
            });
        }
        (false, None) => {}
    }
    if db != 0 {
        commands.push(Greeting {
            command: "SELECT",
            args: vec![db.to_string()],
        });
    }
    commands
}

/// Sends one greeting; gives the server's words if it refuses.
async fn greet(stream: &mut Transport, greeting: &Greeting) -> io::Result<Option<String>> {
    let mut request = Vec::new();
    let mut words = vec![greeting.command];
    words.extend(greeting.args.iter().map(String::as_str));
    encode_command(&mut request, words);
    stream.send_all(request).await?;
    let mut answer = Vec::new();
    loop {
        let chunk = stream.recv().await?;
        if chunk.is_empty() {
            return Err(closed());
        }
        answer.extend_from_slice(&chunk);
        if let Some(end) = skip(&answer).map_err(invalid)? {
            return Ok(error_text(&answer[..end]).map(|t| String::from_utf8_lossy(t).into()));
        }
    }
}

pub(crate) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it")
}

/// Whether a connection on which the server said nothing ended as one does that ought to have spoken TLS.
fn may_want_tls(error: &io::Error, over_tls: bool) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    !over_tls && matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
}

/// The end of a connection on which the server said nothing, with what may be the reason.
pub(crate) fn unanswered(error: io::Error, stream: &Transport) -> io::Error {
    match may_want_tls(&error, stream.tls().is_some()) {
        true => io::Error::new(error.kind(), format!("{error}; does it want --tls?")),
        false => error,
    }
}

pub(crate) fn invalid(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// The text of an error reply, simple or (RESP3) bulk.
pub(crate) fn error_text(reply: &[u8]) -> Option<&[u8]> {
    match reply.first()? {
        b'-' => Some(reply[1..].trim_ascii_end()),
        b'!' => bulk_value(reply),
        _ => None,
    }
}

/// The payload of a bulk reply (`$` or `!`).
pub(crate) fn bulk_value(reply: &[u8]) -> Option<&[u8]> {
    if !matches!(reply.first()?, b'$' | b'!') {
        return None;
    }
    let start = reply.iter().position(|b| *b == b'\n')? + 1;
    reply.get(start..reply.len().checked_sub(2)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn target(line: &str) -> Result<Target, Error> {
        let options = Options::parse(line.split_whitespace()).unwrap();
        let (resp3, db) = (options.target.resp3, options.target.db);
        Target::new(&options.connection, resp3, db)
    }

    #[test]
    fn greetings_follow_from_the_options() {
        let shown = |line| {
            let greeting = target(line).unwrap().greeting;
            let words = |g: &Greeting| format!("{} {}", g.command, g.args.join(" "));
            greeting.iter().map(words).collect::<Vec<_>>()
        };
        assert!(shown("").is_empty());
        assert_eq!(shown("--db 3"), ["SELECT 3"]);
        assert_eq!(shown("--password x"), ["AUTH x"]);
        assert_eq!(
            shown("--password x --user me --db 1"),
            ["AUTH me x", "SELECT 1"]
        );
        assert_eq!(shown("--resp3"), ["HELLO 3"]);
        assert_eq!(shown("--resp3 --password x"), ["HELLO 3 AUTH default x"]);
    }

    #[test]
    fn tls_is_asked_about_where_a_connection_without_it_ended() {
        for (kind, over_tls, asked) in [
            (io::ErrorKind::UnexpectedEof, false, true),
            (io::ErrorKind::ConnectionReset, false, true),
            (io::ErrorKind::UnexpectedEof, true, false),
            (io::ErrorKind::ConnectionRefused, false, false),
            (io::ErrorKind::TimedOut, false, false),
        ] {
            assert_eq!(may_want_tls(&kind.into(), over_tls), asked, "{kind}");
        }
    }

    #[test]
    fn addresses_are_shown_as_they_are_typed() {
        assert_eq!(target("--host ::1 --port 7").unwrap().name, "[::1]:7");
        assert_eq!(target("--socket /run/x.sock").unwrap().name, "/run/x.sock");
        assert!(matches!(
            target("--host no.such.host.invalid"),
            Err(Error::Resolve { .. })
        ));
    }
}
