//! "Did you mean …?"

/// How far apart two names may be, as a share of the longer one, to be taken for a slip.
const CLOSE: f64 = 0.6;

/// The known name nearest to what was typed, if one is near enough to be what was meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase().replace('_', "-");
    let score = |name: &str| strsim::normalized_damerau_levenshtein(&typed, name);
    known
        .into_iter()
        .map(|name| (score(name), name))
        .filter(|(score, _)| *score >= CLOSE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SETTINGS, Setting};

    #[test]
    fn slips_are_recognised() {
        let rows = [
            ("prot", Some("port")),
            ("maxmemry", Some("maxmemory")),
            ("max_clients", Some("maxclients")),
            ("cpu_alocation", Some("cpu-allocation")),
            ("something-else-entirely", None),
            ("x", None),
        ];
        for (typed, want) in rows {
            assert_eq!(
                nearest(typed, SETTINGS.iter().flat_map(Setting::names)),
                want,
                "{typed:?}"
            );
        }
    }
}
