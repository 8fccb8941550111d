//! A client: its lines, what it is told, and its way to another shard when this one goes to sleep.

use std::fmt::Write;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use corelane::net::framing::{FrameError, FrameReader, Lines};
use corelane::net::{Connection, Stream};
use corelane::sync::{Event, Hold};
use corelane::{CallError, Mesh, Refusal, ShardId, Target, partition_of, task, time};

use crate::command::{self, Command, HELP};
use crate::room::Page;
use crate::state::{Answer, Ask, Rooms};

/// The longest line.
const LINE_BYTES_MAX: usize = 400;

/// How often a session looks for messages that nobody has told it of.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A client that does not take what it is sent for this long is cut off.
const SEND_PATIENCE: Duration = Duration::from_secs(10);

/// Before a shard is asked again that has refused.
const RETRY_AFTER: Duration = Duration::from_millis(1);

/// The room that clients come into.
const LOBBY: &str = "lobby";

/// A client on its way between shards: all that a session is.
pub struct Migrant {
    connection: Connection,
    session: Session,
}

/// What a session knows; its connection apart.
struct Session {
    name: String,
    room: String,
    /// The number of the last message that the client has been sent.
    seen: u64,
    reader: FrameReader<Lines>,
    /// Greeted, and in a room.
    has_entered: bool,
}

impl Migrant {
    /// A client that has just come.
    #[must_use]
    pub fn new(connection: Connection, name: String) -> Self {
        let lines = Lines {
            max_bytes: LINE_BYTES_MAX,
        };
        Self {
            connection,
            session: Session {
                name,
                room: LOBBY.to_owned(),
                seen: 0,
                reader: FrameReader::new(lines),
                has_entered: false,
            },
        }
    }
}

/// Gives a client a task on this shard, which it may be on until `inside` is dropped.
pub(crate) fn start(mesh: Mesh<Rooms>, migrant: Migrant, inside: Hold) {
    task::spawn(async move {
        let _inside = inside;
        match Stream::attach(migrant.connection) {
            Ok(stream) => run(mesh, stream, migrant.session).await,
            Err(error) => eprintln!("a client was lost on its way: {error}"),
        }
    });
}

async fn run(mesh: Mesh<Rooms>, stream: Stream, session: Session) {
    let mut client = Client {
        news: Heard::new(&mesh, &session.room),
        mesh,
        stream,
        session,
        out: String::new(),
    };
    match client.serve().await {
        End::Gone => {}
        End::Leaving if client.mesh.handle().is_stopping() => {
            client.tell("the server is going down");
            let _ = client.flush().await;
        }
        End::Leaving => client.migrate().await,
    }
}

/// Why a session ends on this shard.
enum End {
    /// The client has left, or is cut off.
    Gone,
    /// The shard goes to sleep, or the node stops.
    Leaving,
}

/// What a session waits for.
enum Next {
    Line(String),
    TooLong,
    /// There may be messages.
    Look,
    End(End),
}

struct Client {
    mesh: Mesh<Rooms>,
    stream: Stream,
    session: Session,
    news: Heard,
    /// What the client is to be told, not yet sent.
    out: String,
}

impl Client {
    async fn serve(&mut self) -> End {
        if !self.session.has_entered {
            let _ = writeln!(self.out, "* welcome, {}; {HELP}", self.session.name);
            self.enter(LOBBY.to_owned()).await;
        }
        loop {
            // Before the look, so that what comes during it is not missed.
            self.news.event.reset();
            self.read_on().await;
            if self.flush().await.is_err() {
                return End::Gone;
            }
            match self.next().await {
                Next::Line(line) => {
                    if !self.act(&line).await {
                        let _ = self.flush().await;
                        return End::Gone;
                    }
                }
                Next::TooLong => self.tell(&format!("a line has {LINE_BYTES_MAX} bytes at most")),
                Next::Look => {}
                Next::End(end) => return end,
            }
        }
    }

    async fn next(&mut self) -> Next {
        let reader = &mut self.session.reader;
        let stream = &mut self.stream;
        let mut line = pin!(async { reader.next(stream).await.map(|line| line.map(text)) });
        let mut leaving = pin!(self.mesh.stopping());
        let mut news = pin!(self.news.event.wait());
        let mut look = pin!(time::sleep(LOOK_EVERY));
        poll_fn(|cx| {
            if leaving.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::End(End::Leaving));
            }
            match line.as_mut().poll(cx) {
                Poll::Ready(Ok(Some(line))) => return Poll::Ready(Next::Line(line)),
                Poll::Ready(Err(error)) if is_too_long(&error) => {
                    return Poll::Ready(Next::TooLong);
                }
                Poll::Ready(_) => return Poll::Ready(Next::End(End::Gone)),
                Poll::Pending => {}
            }
            match news.as_mut().poll(cx).is_ready() || look.as_mut().poll(cx).is_ready() {
                true => Poll::Ready(Next::Look),
                false => Poll::Pending,
            }
        })
        .await
    }

    /// Does what a line asks for; whether the client stays.
    async fn act(&mut self, line: &str) -> bool {
        match command::parse(line) {
            Command::Nothing => {}
            Command::Wrong(why) => self.tell(why),
            Command::Quit => {
                self.tell("good bye");
                return false;
            }
            Command::Name(name) => {
                self.session.name = name.to_owned();
                self.tell(&format!("you are {name}"));
            }
            Command::Join(room) => self.enter(room.to_owned()).await,
            Command::Where => self.tell_where(),
            Command::Say(text) => {
                let (from, text) = (self.session.name.clone(), text.to_owned());
                let room = self.session.room.clone();
                if let Err(error) =
                    ask(&self.mesh, |room| Ask::Say { room, from, text }, room).await
                {
                    self.tell(&format!("nobody has heard that: {error}"));
                }
            }
            Command::Resize(shards) => self.resize(shards).await,
        }
        true
    }

    async fn enter(&mut self, room: String) {
        match ask(&self.mesh, Ask::Enter, room.clone()).await {
            Ok(Answer::At(last)) => {
                self.news = Heard::new(&self.mesh, &room);
                self.session.seen = last;
                self.session.has_entered = true;
                self.tell(&format!("you are in {room}"));
                self.session.room = room;
            }
            Ok(_) => {}
            Err(error) => self.tell(&format!("you cannot enter {room}: {error}")),
        }
    }

    /// Takes the messages that the client has not seen.
    async fn read_on(&mut self) {
        loop {
            let after = self.session.seen;
            let room = self.session.room.clone();
            match ask(&self.mesh, |room| Ask::Read { room, after }, room).await {
                Ok(Answer::Page(page)) if !page.messages.is_empty() => self.tell_page(page),
                // Refused: there is always a next look.
                _ => return,
            }
            if self.flush().await.is_err() {
                return;
            }
        }
    }

    fn tell_page(&mut self, page: Page) {
        let Session { room, seen, .. } = &mut self.session;
        if page.missed > 0 {
            let _ = writeln!(self.out, "* you have missed {} messages", page.missed);
        }
        for message in page.messages {
            let (number, from, text) = (message.number, message.from, message.text);
            let _ = writeln!(self.out, "[{room} {number}] {from}: {text}");
            *seen = number;
        }
    }

    fn tell_where(&mut self) {
        let owner = self
            .mesh
            .map()
            .owner(partition_of(self.session.room.as_bytes()));
        let (me, shards, room) = (self.mesh.shard(), self.mesh.shards(), &self.session.room);
        let _ = writeln!(
            self.out,
            "* you are on shard {me} of {shards}, {room} is on shard {owner}"
        );
    }

    /// Anybody may: who runs this for others takes it out. The room hears what came of it.
    async fn resize(&mut self, shards: usize) {
        let room = self.session.room.clone();
        // On a shard that stays, and not awaited: this session may have to move for it.
        let started = self
            .mesh
            .submit(ShardId::new(0), async move |mesh: Mesh<Rooms>| {
                task::spawn(resize(mesh, shards, room));
            });
        if let Err(error) = started.await {
            self.tell(&format!("the node could not be asked: {error}"));
        }
    }

    fn tell(&mut self, what: &str) {
        let _ = writeln!(self.out, "* {what}");
    }

    /// Sends what the client is to be told. Only this client waits: its room keeps what it has not fetched.
    async fn flush(&mut self) -> Result<(), ()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let sending = self
            .stream
            .send_all(std::mem::take(&mut self.out).into_bytes());
        match time::timeout(SEND_PATIENCE, sending).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(()),
        }
    }

    /// Moves to where the room is; by now that is a shard that stays.
    async fn migrate(self) {
        let Self {
            mesh,
            stream,
            session,
            news,
            ..
        } = self;
        drop(news);
        let room = session.room.clone();
        let connection = stream.detach().await;
        let mut migrant = Box::new(Migrant {
            connection,
            session,
        });
        loop {
            let to = Target::Partition(partition_of(room.as_bytes()));
            let request = match mesh.call(to, Ask::Adopt(migrant)).await {
                Err(CallError::Refused(refused)) if refused.reason != Refusal::Closing => {
                    refused.message
                }
                Err(CallError::Moved(request)) => request,
                // It is there, or the node is at its end.
                _ => return,
            };
            let Ask::Adopt(back) = request else { return };
            migrant = back;
            time::sleep(RETRY_AFTER).await;
        }
    }
}

/// Asks the shard that has a room. Waits while that is moving.
async fn ask(
    mesh: &Mesh<Rooms>,
    request: impl FnOnce(String) -> Ask,
    room: String,
) -> Result<Answer, CallError<Ask>> {
    let to = Target::Partition(partition_of(room.as_bytes()));
    mesh.call(to, request(room)).await
}

async fn resize(mesh: Mesh<Rooms>, shards: usize, room: String) {
    let text = match mesh.resize(shards).await {
        Ok(done) => format!(
            "{} shards serve, {} did; {} partitions have moved",
            done.shards, done.before, done.moved
        ),
        Err(error) => format!("not resized: {error}"),
    };
    let from = "*".to_owned();
    let _ = ask(&mesh, |room| Ask::Say { room, from, text }, room).await;
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

fn is_too_long(error: &std::io::Error) -> bool {
    let frame = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(frame, Some(FrameError::TooLong { .. }))
}

/// A session's place among those that hear of its room's news.
struct Heard {
    mesh: Mesh<Rooms>,
    room: String,
    place: u64,
    event: Event,
}

impl Heard {
    fn new(mesh: &Mesh<Rooms>, room: &str) -> Self {
        let event = Event::new();
        Self {
            place: mesh.with(|state| state.listen(room, &event)),
            mesh: mesh.clone(),
            room: room.to_owned(),
            event,
        }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.mesh
            .try_with(|state| state.unlisten(&self.room, self.place));
    }
}
