//! The setting `cpu_allocation`: which CPUs get a shard, as an administrator writes it.
//!
//! Syntax only. Whether the machine at hand can give what is asked for is the plan's business.
//!
//! | form | meaning |
//! |---|---|
//! | `all` | a shard for every CPU this process may use |
//! | `4` | that many shards; which CPUs is left to the plan |
//! | `2..8` | a shard on each of the CPUs 2 to 7: the end is not part of the range |
//! | `numa:auto` | a shard for every physical core of every NUMA node |
//! | `numa:nodes=0,1;cores=4;no_ht=true` | on each of the nodes named (default: all) that many shards (default: as many as fit), on separate physical cores only if `no_ht` (default: `false`) |

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::cpu_set::{CpuSet, MAX_CPUS};
use crate::host::quoted;

/// Which CPUs get a shard. The forms stand in this module's table; `Display` writes what
/// `FromStr` reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CpuAllocation {
    /// Every CPU this process may use.
    #[default]
    All,
    /// So many CPUs; at least one.
    Count(usize),
    /// Exactly these CPUs; never empty.
    Range(Range<usize>),
    /// Every physical core of every node.
    NumaAuto,
    /// So many CPUs of each of these nodes.
    Numa(NumaAllocation),
}

/// `numa:nodes=0,1;cores=4;no_ht=true`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumaAllocation {
    /// The nodes; `None` for all that have CPUs we may use. Never empty.
    pub nodes: Option<CpuSet>,
    /// Shards on each node; `None` for as many as fit. At least one.
    pub cores: Option<usize>,
    /// Never two shards on hardware threads of one core.
    pub no_ht: bool,
}

/// A text that is none of the forms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cpu_allocation = `{given}`: {what}; write `all`, a number of shards such as `4`, a range of CPUs \
     such as `2..8` (2 to 7), `numa:auto`, or `numa:nodes=0,1;cores=4;no_ht=true`"
)]
pub struct AllocationError {
    /// What was written, cut if long.
    given: String,
    /// What is wrong with it.
    what: String,
}

impl FromStr for CpuAllocation {
    type Err = AllocationError;

    fn from_str(text: &str) -> Result<Self, AllocationError> {
        let text = text.trim();
        let parsed = match (text, text.strip_prefix("numa:"), text.split_once("..")) {
            ("all", ..) => Ok(Self::All),
            ("", ..) => Err("it is empty".to_owned()),
            (_, Some("auto"), _) => Ok(Self::NumaAuto),
            (_, Some(fields), _) => numa(fields).map(Self::Numa),
            (.., Some((first, end))) => range(first, end).map(Self::Range),
            _ => count(text, "number of shards").map(Self::Count),
        };
        parsed.map_err(|what| AllocationError {
            given: quoted(text),
            what,
        })
    }
}

fn range(first: &str, end: &str) -> Result<Range<usize>, String> {
    if end.starts_with('=') {
        return Err("the end of a range is never part of it, so there is no `..=`".to_owned());
    }
    let (first, end) = (cpu_number(first)?, cpu_number(end)?);
    if end <= first {
        return Err(format!(
            "the range {first}..{end} holds no CPU: its end is not part of it"
        ));
    }
    Ok(first..end)
}

fn cpu_number(text: &str) -> Result<usize, String> {
    if text.is_empty() {
        return Err("a range needs both ends".to_owned());
    }
    let number = digits(text).ok_or_else(|| format!("`{}` is no CPU number", quoted(text)))?;
    if number > MAX_CPUS {
        return Err(format!(
            "{number} is above {MAX_CPUS}, the most CPUs a kernel can have"
        ));
    }
    Ok(number)
}

fn numa(fields: &str) -> Result<NumaAllocation, String> {
    let mut numa = NumaAllocation::default();
    let mut seen: Vec<&str> = Vec::new();
    for field in fields.split(';').map(str::trim) {
        let (key, value) = field.split_once('=').ok_or_else(|| {
            format!(
                "`{}` is no `key=value` (keys are nodes, cores, no_ht)",
                quoted(field)
            )
        })?;
        if seen.contains(&key) {
            return Err(format!("`{key}` is given twice"));
        }
        match key {
            "nodes" => numa.nodes = Some(nodes(value)?),
            "cores" => numa.cores = Some(count(value, "number of cores")?),
            "no_ht" => numa.no_ht = flag(value)?,
            _ => {
                return Err(format!(
                    "`{}` is no key (keys are nodes, cores, no_ht)",
                    quoted(key)
                ));
            }
        }
        seen.push(key);
    }
    Ok(numa)
}

fn nodes(value: &str) -> Result<CpuSet, String> {
    match value.parse::<CpuSet>() {
        Ok(nodes) if nodes.is_empty() => Err("`nodes=` names no node".to_owned()),
        Ok(nodes) => Ok(nodes),
        Err(error) => Err(format!("nodes: {error}")),
    }
}

fn flag(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!(
            "no_ht is `true` or `false`, not `{}`",
            quoted(value)
        )),
    }
}

fn count(text: &str, what: &str) -> Result<usize, String> {
    match digits(text) {
        Some(0) => Err(format!("the {what} must be at least 1")),
        Some(count) if count <= MAX_CPUS => Ok(count),
        Some(count) => Err(format!(
            "{count} is above {MAX_CPUS}, the most CPUs a kernel can have"
        )),
        None => Err(format!("`{}` is no {what}", quoted(text))),
    }
}

/// Digits only: no sign, no blanks within.
fn digits(text: &str) -> Option<usize> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| all_digits)
}

impl fmt::Display for CpuAllocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Range(range) => write!(f, "{}..{}", range.start, range.end),
            Self::NumaAuto => f.write_str("numa:auto"),
            Self::Numa(numa) => write!(f, "numa:{numa}"),
        }
    }
}

impl fmt::Display for NumaAllocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nodes) = &self.nodes {
            write!(f, "nodes={nodes};")?;
        }
        if let Some(cores) = self.cores {
            write!(f, "cores={cores};")?;
        }
        write!(f, "no_ht={}", self.no_ht)
    }
}

impl Serialize for CpuAllocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: CpuAllocation) {
        assert_eq!(text.parse(), Ok(expected), "for {text:?}");
    }

    fn check_refused(text: &str, what: &str) {
        let error = text.parse::<CpuAllocation>().expect_err(text);
        assert_eq!(error.what, what, "for {text:?}");
    }

    fn numa(nodes: &[usize], cores: Option<usize>, no_ht: bool) -> CpuAllocation {
        let nodes = (!nodes.is_empty()).then(|| nodes.iter().copied().collect());
        CpuAllocation::Numa(NumaAllocation {
            nodes,
            cores,
            no_ht,
        })
    }

    #[test]
    fn every_form_is_read() {
        check("all", CpuAllocation::All);
        check(" all\n", CpuAllocation::All);
        check("4", CpuAllocation::Count(4));
        check("2..8", CpuAllocation::Range(2..8));
        check("0..1", CpuAllocation::Range(0..1));
        check("numa:auto", CpuAllocation::NumaAuto);
        check(
            "numa:nodes=0,1;cores=4;no_ht=true",
            numa(&[0, 1], Some(4), true),
        );
        check("numa:cores=4", numa(&[], Some(4), false));
        check("numa:no_ht=false; nodes=0-2", numa(&[0, 1, 2], None, false));
    }

    #[test]
    fn everything_else_is_refused_with_what_is_wrong() {
        check_refused("", "it is empty");
        check_refused("0", "the number of shards must be at least 1");
        check_refused("ALL", "`ALL` is no number of shards");
        check_refused("-4", "`-4` is no number of shards");
        check_refused("+4", "`+4` is no number of shards");
        check_refused("4,5", "`4,5` is no number of shards");
        check_refused(
            "9000",
            "9000 is above 8192, the most CPUs a kernel can have",
        );
        check_refused("2..", "a range needs both ends");
        check_refused("..2", "a range needs both ends");
        check_refused(
            "2..=8",
            "the end of a range is never part of it, so there is no `..=`",
        );
        check_refused(
            "2..2",
            "the range 2..2 holds no CPU: its end is not part of it",
        );
        check_refused(
            "8..2",
            "the range 8..2 holds no CPU: its end is not part of it",
        );
        check_refused("a..2", "`a` is no CPU number");
        check_refused(
            "0..99999",
            "99999 is above 8192, the most CPUs a kernel can have",
        );
        check_refused(
            "numa:",
            "`` is no `key=value` (keys are nodes, cores, no_ht)",
        );
        check_refused(
            "numa:all",
            "`all` is no `key=value` (keys are nodes, cores, no_ht)",
        );
        check_refused("numa:nodes=", "`nodes=` names no node");
        check_refused(
            "numa:nodes=x",
            "nodes: `x` is neither a number nor a range such as 0-3",
        );
        check_refused("numa:cores=0", "the number of cores must be at least 1");
        check_refused("numa:no_ht=yes", "no_ht is `true` or `false`, not `yes`");
        check_refused("numa:cores=1;cores=2", "`cores` is given twice");
        check_refused(
            "numa:threads=1",
            "`threads` is no key (keys are nodes, cores, no_ht)",
        );
    }

    #[test]
    fn a_refusal_shows_every_form() {
        let error = "some".parse::<CpuAllocation>().expect_err("no form");
        assert_eq!(
            error.to_string(),
            "cpu_allocation = `some`: `some` is no number of shards; write `all`, a number of shards \
             such as `4`, a range of CPUs such as `2..8` (2 to 7), `numa:auto`, or \
             `numa:nodes=0,1;cores=4;no_ht=true`"
        );
    }

    fn any_allocation() -> impl Strategy<Value = CpuAllocation> {
        let nodes = prop::option::of(prop::collection::btree_set(0usize..64, 1..5));
        let numa = (nodes, prop::option::of(1..MAX_CPUS), any::<bool>());
        let numa = numa.prop_map(|(nodes, cores, no_ht)| {
            let nodes = nodes.map(|nodes| nodes.into_iter().collect());
            CpuAllocation::Numa(NumaAllocation {
                nodes,
                cores,
                no_ht,
            })
        });
        prop_oneof![
            Just(CpuAllocation::All),
            Just(CpuAllocation::NumaAuto),
            (1..=MAX_CPUS).prop_map(CpuAllocation::Count),
            (0..MAX_CPUS, 1..100usize)
                .prop_map(|(first, len)| CpuAllocation::Range(first..(first + len).min(MAX_CPUS))),
            numa,
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(allocation in any_allocation()) {
            prop_assert_eq!(allocation.to_string().parse(), Ok(allocation));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(numa:|nodes=|cores=|no_ht=|all|\\.\\.|[0-9,;=-]|é){0,12}") {
            let _ = text.parse::<CpuAllocation>();
        }
    }
}
