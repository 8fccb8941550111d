//! `routing`: the ways in which a connection's commands reach other shards.

use std::fmt;

use crate::Settings;

/// What a connection does about commands for other shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// Stays where it is; the commands hop.
    Hop,
    /// Goes to the shard of each command that has one.
    Migrate,
    /// Stays or goes, as it comes cheaper.
    Adaptive,
}

impl Routing {
    /// Every way, as the setting has them.
    pub const ALL: [Self; 3] = [Self::Hop, Self::Migrate, Self::Adaptive];

    /// Its name in settings and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hop => "hop",
            Self::Migrate => "migrate",
            Self::Adaptive => "adaptive",
        }
    }

    /// The way of this name, in letters of any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        let is = |way: &Self| name.eq_ignore_ascii_case(way.name().as_bytes());
        Self::ALL.into_iter().find(is)
    }
}

impl Settings {
    /// The way of connections that have not chosen one.
    pub fn routing(&self) -> Routing {
        // The list has these words only.
        Routing::named(self.text("routing").as_bytes()).unwrap_or(Routing::Adaptive)
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for way in Routing::ALL {
            assert_eq!(Routing::named(way.name().as_bytes()), Some(way));
            assert_eq!(
                Routing::named(way.to_string().to_uppercase().as_bytes()),
                Some(way)
            );
        }
        assert_eq!(Routing::named(b"default"), None);
        let mut settings = Settings::default();
        assert_eq!(settings.routing(), Routing::Adaptive);
        for way in Routing::ALL {
            settings
                .set(&[(b"routing", way.name().as_bytes())])
                .unwrap();
            assert_eq!(settings.routing(), way);
        }
        assert_eq!(Routing::named(b""), None);
    }
}
