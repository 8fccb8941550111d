//! A connection that asks one thing after the other: for commands that speak to a server and are no load.

use std::future::Future;
use std::io;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use corelane::tls::Transport;
use corelane::{LaunchOptions, Mesh, launch, time};
use corelane_wire::{Decoder, Value, encode_command};

use super::{ConnectionOptions, Target, closed, invalid, unanswered};
use crate::engine::Alone;
use crate::error::Error;

/// How long a server may be silent before that counts as an end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets `work` speak to a server, on a thread of its own with a runtime; returns what came of it.
///
/// # Errors
/// An option is wrong, or the host is unknown: then `work` was not begun. The thread could not be started, or panicked.
pub fn talk<T, F>(
    options: &ConnectionOptions,
    work: impl FnOnce(Dialer) -> F + Send + 'static,
) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = T> + 'static,
{
    let dialer = Dialer(Target::new(options, false, 0)?);
    let (say, said) = mpsc::channel();
    let once = Mutex::new(Some((work, dialer, say)));
    let main = move |_: Mesh<Alone>| {
        let taken = once.lock().ok().and_then(|mut once| once.take());
        async move {
            let (work, dialer, say) = taken.ok_or("the thread began twice")?;
            // Whoever waits for it is the caller below.
            let _ = say.send(work(dialer).await);
            Ok(())
        }
    };
    let failed = |why: String| Error::Thread(why);
    let running = launch(&LaunchOptions::unpinned(1), async |_| Ok(Alone), main)
        .map_err(|error| failed(error.to_string()))?;
    running
        .join()
        .map_err(|failure| failed(failure.to_string()))?;
    said.recv()
        .map_err(|_| failed("it ended before its work was done".to_owned()))
}

/// Opens connections to one server.
#[derive(Debug)]
pub struct Dialer(Target);

impl Dialer {
    /// Connects, and logs in where there is a password.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Refused`].
    pub async fn open(&self) -> Result<Client, Error> {
        Ok(Client {
            stream: self.0.connect().await?,
            unread: Vec::new(),
            has_heard: self.0.is_greeted(),
        })
    }
}

/// A connection that asks one thing after the other.
#[derive(Debug)]
pub struct Client {
    stream: Transport,
    unread: Vec<u8>,
    /// Whether the server has answered anything.
    has_heard: bool,
}

impl Client {
    /// Sends a command and waits for its reply, for a minute at most.
    ///
    /// # Errors
    /// The connection ends, or brings nothing for that long.
    pub async fn call(&mut self, words: &[&str]) -> io::Result<Value> {
        match self.exchange(words).await {
            Err(error) if !self.has_heard => Err(unanswered(error, &self.stream)),
            done => done,
        }
    }

    async fn exchange(&mut self, words: &[&str]) -> io::Result<Value> {
        let mut request = Vec::new();
        encode_command(&mut request, words.iter().map(|word| word.as_bytes()));
        self.stream.send_all(request).await?;
        loop {
            let decoded = Decoder::new().decode(&self.unread).map_err(invalid)?;
            if let Some((value, used)) = decoded {
                self.unread.drain(..used);
                return Ok(value);
            }
            let chunk = time::timeout(PATIENCE, self.stream.recv()).await;
            let chunk = chunk.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            if chunk.is_empty() {
                return Err(closed());
            }
            self.has_heard = true;
            self.unread.extend_from_slice(&chunk);
        }
    }
}
