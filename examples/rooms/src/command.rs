//! What a line means.

/// Names of clients and rooms are at most this long.
pub const NAME_BYTES_MAX: usize = 32;

/// A line of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Say this in the room.
    Say(&'a str),
    /// Be called so.
    Name(&'a str),
    /// Go to this room.
    Join(&'a str),
    /// Let so many shards serve.
    Resize(usize),
    /// Which shard is this, and which has the room?
    Where,
    /// Leave.
    Quit,
    /// Nothing: an empty line.
    Nothing,
    /// Something that is explained to the client.
    Wrong(&'static str),
}

/// What the server understands, for the client.
pub const HELP: &str = "say something, or /name NAME, /join ROOM, /where, /resize SHARDS, /quit";

const BAD_NAME: &str = "a name is 1 to 32 letters, digits, - and _";

/// Understands a line.
#[must_use]
pub fn parse(line: &str) -> Command<'_> {
    let line = line.trim();
    let Some(command) = line.strip_prefix('/') else {
        return match line {
            "" => Command::Nothing,
            text => Command::Say(text),
        };
    };
    let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
    match (word, rest.trim()) {
        ("name", name) if is_name(name) => Command::Name(name),
        ("join", name) if is_name(name) => Command::Join(name),
        ("name" | "join", _) => Command::Wrong(BAD_NAME),
        ("resize", shards) => match shards.parse() {
            Ok(shards) => Command::Resize(shards),
            Err(_) => Command::Wrong("/resize takes the number of shards that shall serve"),
        },
        ("where", "") => Command::Where,
        ("quit", "") => Command::Quit,
        _ => Command::Wrong(HELP),
    }
}

fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(good)
}

#[cfg(test)]
mod tests {
    use super::{BAD_NAME, Command, HELP, parse};

    #[test]
    fn lines_are_understood() {
        let long = format!("/join {}", "x".repeat(33));
        for (line, command) in [
            ("", Command::Nothing),
            ("  \t", Command::Nothing),
            ("hello there ", Command::Say("hello there")),
            ("/name ada", Command::Name("ada")),
            ("/name  böll ", Command::Name("böll")),
            ("/name", Command::Wrong(BAD_NAME)),
            ("/join a b", Command::Wrong(BAD_NAME)),
            ("/join room-1_", Command::Join("room-1_")),
            (&long, Command::Wrong(BAD_NAME)),
            ("/resize 3", Command::Resize(3)),
            (
                "/resize three",
                Command::Wrong("/resize takes the number of shards that shall serve"),
            ),
            ("/where", Command::Where),
            ("/quit", Command::Quit),
            ("/dance", Command::Wrong(HELP)),
            ("/", Command::Wrong(HELP)),
        ] {
            assert_eq!(parse(line), command, "{line:?}");
        }
    }
}
