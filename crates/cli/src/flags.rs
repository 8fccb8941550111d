//! Settings as command-line flags: every setting of the list is `--name value`, with its help.

use clap::{Arg, ArgAction, ArgMatches};
use corelane_settings::{Effect, Group, SETTINGS, Setting, Shown};

/// Where help lists the settings that most people need.
const MAIN_HEADING: &str = "Main settings";

/// Flags for these settings: the main ones first, then chapter by chapter. Those without effect
/// are taken and not listed.
pub(crate) fn of(which: fn(&Setting) -> bool) -> Vec<Arg> {
    let chosen = || SETTINGS.iter().filter(|setting| which(setting));
    let main = chosen().filter(|s| s.shown == Shown::Main);
    let rest = Group::ALL
        .into_iter()
        .flat_map(|group| chosen().filter(move |s| s.group == group && s.shown != Shown::Main));
    main.chain(rest).map(flag).collect()
}

/// The flags that were given, with their values in the words of `CONFIG SET`.
pub(crate) fn given(matches: &ArgMatches) -> Vec<(String, String)> {
    let value = |setting: &Setting| {
        let words = matches
            .try_get_many::<String>(setting.name)
            .ok()
            .flatten()?;
        let words: Vec<&str> = words.map(String::as_str).collect();
        Some((setting.name.to_owned(), words.join(" ")))
    };
    SETTINGS.iter().filter_map(value).collect()
}

fn flag(setting: &'static Setting) -> Arg {
    let heading = match setting.shown {
        Shown::Main => MAIN_HEADING,
        _ => setting.group.title(),
    };
    let arg = Arg::new(setting.name)
        .long(setting.name)
        .aliases(setting.aliases)
        .value_name(setting.kind.placeholder())
        .help(help(setting))
        .help_heading(heading)
        .hide(setting.effect == Effect::None)
        .hide_short_help(setting.shown != Shown::Main)
        .allow_negative_numbers(true);
    if setting.kind.takes_words() {
        // `--save 900 1 --save 300 10` is one value of four words, as with redis-server.
        arg.num_args(1..).action(ArgAction::Append)
    } else {
        arg.num_args(1)
            .action(ArgAction::Set)
            .overrides_with(setting.name)
    }
}

fn help(setting: &Setting) -> String {
    let unit = if setting.unit.is_empty() { "" } else { " " };
    match setting.default {
        "" => setting.doc.to_owned(),
        default => format!("{} [default: {default}{unit}{}]", setting.doc, setting.unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Vec<(String, String)> {
        let command = clap::Command::new("serve")
            .args(of(|_| true))
            .no_binary_name(true);
        given(&command.try_get_matches_from(args).unwrap())
    }

    #[track_caller]
    fn check(args: &[&str], want: &[(&str, &str)]) {
        let want: Vec<(String, String)> = want
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        assert_eq!(parse(args), want, "{args:?}");
    }

    #[test]
    fn values_of_every_shape() {
        check(&[], &[]);
        check(&["--port", "7000"], &[("port", "7000")]);
        check(&["--port=7000", "--port", "7001"], &[("port", "7001")]);
        check(
            &["--bind", "127.0.0.1", "::1", "--hz", "5"],
            &[("bind", "127.0.0.1 ::1"), ("hz", "5")],
        );
        check(&["--bind=127.0.0.1 -::1"], &[("bind", "127.0.0.1 -::1")]);
        check(
            &["--save", "900", "1", "--save", "300", "10"],
            &[("save", "900 1 300 10")],
        );
        check(&["--save", ""], &[("save", "")]);
        check(
            &["--list-max-listpack-size", "-2"],
            &[("list-max-listpack-size", "-2")],
        );
        check(&["--slave-priority", "1"], &[("replica-priority", "1")]);
        check(
            &["--requirepass", "two words"],
            &[("requirepass", "two words")],
        );
    }

    #[test]
    fn every_setting_has_a_flag() {
        assert_eq!(of(|_| true).len(), SETTINGS.len());
    }
}
