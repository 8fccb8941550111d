//! Which of two ways to accept TLS is the newer one. Files are read beside the shards, where one reader may overtake another:
//! the shard that decides takes only what was made after all that it took before, and numbers it; the others keep the
//! highest number.

use corelane::tls::Acceptor;
use corelane_settings::{Settings, Tls};

/// What new TLS connections are accepted with.
#[derive(Debug, Clone, Default)]
pub struct Secured {
    pub(super) acceptor: Option<Acceptor>,
    /// How many there were before it.
    pub(super) revision: u64,
}

impl Secured {
    /// The first.
    pub(crate) fn first(acceptor: Option<Acceptor>) -> Self {
        Self {
            acceptor,
            revision: 0,
        }
    }

    /// Takes `other` in its place, if that is newer.
    pub(crate) fn renew(&mut self, other: Self) {
        if other.revision > self.revision {
            *self = other;
        }
    }
}

/// What is to be accepted with after a change that is not decided yet.
#[derive(Debug)]
pub struct Made {
    pub(super) acceptor: Option<Acceptor>,
    /// What the settings say that it was made from.
    pub(super) from: Option<Tls>,
    /// The revision in force before its files were read.
    pub(super) follows: u64,
}

impl Made {
    /// It, once it was decided.
    pub(crate) fn secured(&self) -> Secured {
        Secured {
            acceptor: self.acceptor.clone(),
            revision: self.follows + 1,
        }
    }

    /// Whether it is what `settings` make, and nothing came between.
    pub(crate) fn fits(&self, settings: &Settings, now: &Secured) -> bool {
        self.follows == now.revision && self.from == settings.tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(follows: u64) -> Made {
        Made {
            acceptor: None,
            from: None,
            follows,
        }
    }

    #[test]
    fn of_two_made_at_once_one_fits() {
        let settings = Settings::default();
        let mut now = Secured::first(None);
        let (one, other) = (made(0), made(0));
        assert!(one.fits(&settings, &now));
        now.renew(one.secured());
        assert!(!other.fits(&settings, &now));
        assert!(made(1).fits(&settings, &now));
    }

    #[test]
    fn what_was_made_of_other_settings_does_not_fit() {
        let mut settings = Settings::default();
        let pairs: [(&[u8], &[u8]); 1] = [(b"tls-auth-clients", b"no")];
        settings.set(&pairs).expect("a value");
        // Without a port all settings of TLS make the same: nothing.
        assert!(made(0).fits(&settings, &Secured::first(None)));
        let mut file = corelane_settings::load(&corelane_settings::Layers {
            cwd: std::path::Path::new("/"),
            file: None,
            env: &[],
            flags: &[("tls-port".to_owned(), "7000".to_owned())],
        })
        .expect("settings")
        .settings;
        let made = Made {
            from: file.tls(),
            ..made(0)
        };
        assert!(made.fits(&file, &Secured::first(None)));
        file.set(&pairs).expect("a value");
        assert!(!made.fits(&file, &Secured::first(None)));
    }

    #[test]
    fn a_shard_keeps_the_newest_whatever_comes_last() {
        let mut now = Secured::first(None);
        now.renew(made(4).secured());
        now.renew(made(2).secured());
        assert_eq!(now.revision, 5);
    }
}
