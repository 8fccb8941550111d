//! Open files: a server lets no more clients in than the system lets it have descriptors.
//!
//! Without this the system would refuse connections before `maxclients` does, without a word to the client, and
//! nothing would be left for what the server itself opens.

use corelane_settings::Settings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::ServerError;

/// Kept for what is opened now and then: log, files, and clients that are to hear that there are too many (Redis's
/// `CONFIG_MIN_RESERVED_FDS`).
const RESERVED: u64 = 32;

/// What a shard's own loop has open: its ring or its poll, what wakes it, its timer.
const LOOP: u64 = 3;

/// What the server needs for itself where so many shards may come to serve, each of which listens on so many sockets.
pub(crate) fn needed(shards: usize, listeners: usize) -> u64 {
    // One socket more of each, which the shards' are copies of.
    RESERVED + shards as u64 * (LOOP + listeners as u64) + listeners as u64
}

/// Raises the limit as far as that is permitted, and lowers `maxclients` to what is left beside the server's own
/// descriptors. As Redis does, but that it does not raise it further than `maxclients` needs.
///
/// # Errors
/// Nothing is left for clients.
pub(crate) fn fit(settings: &mut Settings, own: u64) -> Result<(), ServerError> {
    match raise() {
        Some(limit) => fit_into(settings, limit, own),
        None => Ok(()),
    }
}

fn fit_into(settings: &mut Settings, limit: u64, own: u64) -> Result<(), ServerError> {
    let Some(clients) = limit.checked_sub(own).filter(|clients| *clients > 0) else {
        return Err(ServerError::Descriptors { limit, own });
    };
    let most = clients.try_into().unwrap_or(i64::MAX);
    if let Some(asked) = settings.bound("maxclients", most) {
        tracing::warn!(
            "maxclients is lowered from {asked} to {most}: the system allows {limit} open files, of which the server \
             needs {own} for itself; raise the limit (ulimit -n, LimitNOFILE) for more"
        );
    }
    Ok(())
}

/// Raises the soft limit to the hard one; how many files may be open now, none for as many as one likes.
fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files stays as it is");
            limit.current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_clients_than_descriptors() {
        #[track_caller]
        fn check(limit: u64, own: u64, expected: Option<i64>) {
            let mut settings = Settings::default();
            let fits = fit_into(&mut settings, limit, own).is_ok();
            assert_eq!(fits.then(|| settings.int("maxclients")), expected);
        }
        check(20_000, 50, Some(10_000));
        check(10_050, 50, Some(10_000));
        check(10_049, 50, Some(9_999));
        check(256, 50, Some(206));
        check(51, 50, Some(1));
        check(50, 50, None);
        check(20, 50, None);
        check(u64::MAX, 50, Some(10_000));
    }

    #[test]
    fn every_shard_that_may_come_has_its_part() {
        assert_eq!(needed(1, 1), RESERVED + LOOP + 2);
        assert_eq!(needed(4, 2), RESERVED + 4 * (LOOP + 2) + 2);
    }
}
