//! `notify-keyspace-events`: the letters, and their order in `CONFIG GET`.

/// Letters that `A` stands for, in the order in which they are shown.
const ALL: &str = "g$lshzxetd";
/// Letters beside them, shown after.
const BESIDE: &str = "nKEm";

/// The canonical spelling of a set of event letters, or `None` for an unknown letter.
pub(crate) fn canonical(text: &str) -> Option<String> {
    if !text
        .chars()
        .all(|c| c == 'A' || ALL.contains(c) || BESIDE.contains(c))
    {
        return None;
    }
    let all = text.contains('A') || ALL.chars().all(|c| text.contains(c));
    let classes = if all { "A".to_owned() } else { kept(ALL, text) };
    Some(classes + &kept(BESIDE, text))
}

fn kept(order: &str, text: &str) -> String {
    order.chars().filter(|&c| text.contains(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn letters_have_one_order() {
        let rows = [
            ("", Some("")),
            ("KEA", Some("AKE")),
            ("gKE", Some("gKE")),
            ("EKlz", Some("lzKE")),
            ("g$lshzxetd", Some("A")),
            ("KEnA", Some("AnKE")),
            ("mA", Some("Am")),
            ("gg", Some("g")),
            ("KQ", None),
        ];
        for (text, want) in rows {
            assert_eq!(canonical(text).as_deref(), want, "{text:?}");
        }
    }
}
