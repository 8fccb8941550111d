//! Changing the settings of a running node: one shard decides, so that two clients cannot make two truths; a change takes
//! effect as a whole or not at all, and every shard then gets its immutable copy.

use std::sync::Arc;

use corelane::{MapHold, ShardId};
use corelane_settings::Settings;

use crate::node::{Gone, Node};
use crate::request::{Reply, Request};
use crate::tls::Made;

/// The shard that decides about settings: always the same, and the one that no resize puts to sleep.
pub(crate) const DECIDER: ShardId = ShardId::new(0);

/// Names and values.
pub(crate) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Why nothing has changed.
#[derive(Debug)]
pub(crate) enum Unchanged {
    /// What is wrong, for people.
    Refused(String),
    /// The node is going down.
    Gone,
}

impl From<Gone> for Unchanged {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// So often others may come first before a change of TLS is given up: each time somebody's change was made.
const OVERTAKEN_MAX: usize = 64;

impl Node {
    /// Makes a change. What may fail comes first: files of certificates, and another number of shards, which takes
    /// long. The files of TLS are read anew where one of its settings is named, or with `reads_anew`.
    pub(crate) async fn change(&self, pairs: Pairs, reads_anew: bool) -> Result<(), Unchanged> {
        for _ in 0..OVERTAKEN_MAX {
            let made = self.made_for(&pairs, reads_anew).await?;
            self.resize_for(&pairs).await?;
            // No shard wakes between the decision and its spreading without hearing of it.
            let hold = self.mesh().hold_map().await;
            let secured = made.as_ref().map(Made::secured);
            let Some(settings) = self.decide(pairs.clone(), made).await? else {
                continue;
            };
            self.spread(&hold, || Request::Apply(Arc::clone(&settings)))
                .await?;
            if let Some(secured) = secured {
                self.spread(&hold, || Request::Secure(secured.clone()))
                    .await?;
            }
            return Ok(());
        }
        let why = "other changes of TLS came first, again and again; try once more";
        Err(Unchanged::Refused(why.to_owned()))
    }

    /// What TLS connections are to be accepted with after the change, if it is one of TLS: made before anything changes,
    /// so that a bad file leaves all as it was.
    async fn made_for(&self, pairs: &Pairs, reads_anew: bool) -> Result<Option<Made>, Unchanged> {
        let named = pairs.iter().find(|(name, _)| Settings::concerns_tls(name));
        if named.is_none() && !reads_anew {
            return Ok(None);
        }
        // Asked before the files are read: what is decided after this moment may have read them later.
        let follows = self.tls_revision().await?;
        let changed = self.tried(pairs.clone()).await?;
        let made = self.make_tls(&changed, follows).await;
        made.map(Some).map_err(|reason| {
            Unchanged::Refused(match named {
                Some((name, _)) => format!(
                    "CONFIG SET failed (possibly related to argument '{}') - Unable to update TLS configuration: {reason}",
                    String::from_utf8_lossy(name)
                ),
                None => reason,
            })
        })
    }

    /// Lets as many shards serve as the change says, if it says so.
    async fn resize_for(&self, pairs: &Pairs) -> Result<(), Unchanged> {
        let mut names = pairs.iter().map(|(name, _)| name);
        if !names.any(|name| name.eq_ignore_ascii_case(b"shards")) {
            return Ok(());
        }
        let shards = self.tried(pairs.clone()).await?.placement().shards;
        let shards = shards.unwrap_or_else(|| self.mesh().max_shards());
        if shards == self.mesh().shards() {
            return Ok(());
        }
        let resized = self.resize(shards).await;
        resized.map(drop).map_err(|reason| {
            Unchanged::Refused(format!(
                "CONFIG SET failed (possibly related to argument 'shards') - {reason}"
            ))
        })
    }

    /// What the pairs would make of the settings.
    async fn tried(&self, pairs: Pairs) -> Result<Arc<Settings>, Unchanged> {
        match self.call(DECIDER, Request::Try(pairs)).await? {
            Reply::Configured(tried) => tried.map_err(Unchanged::Refused),
            _ => Err(Unchanged::Gone),
        }
    }

    /// Puts the pairs in force at the shard that decides, and `made` with them; `None`: another change of TLS has come
    /// first, and `made` is not what it should be any more.
    async fn decide(
        &self,
        pairs: Pairs,
        made: Option<Made>,
    ) -> Result<Option<Arc<Settings>>, Unchanged> {
        let made = made.map(Box::new);
        match self
            .call(DECIDER, Request::Configure { pairs, made })
            .await?
        {
            Reply::Configured(decided) => decided.map(Some).map_err(Unchanged::Refused),
            Reply::Overtaken => Ok(None),
            _ => Err(Unchanged::Gone),
        }
    }

    /// Gives every shard its copy, and waits until all have it: who hears OK finds it everywhere.
    async fn spread(&self, hold: &MapHold, copy: impl Fn() -> Request) -> Result<(), Gone> {
        self.call_all_under(hold, copy).await.map(drop)
    }
}
