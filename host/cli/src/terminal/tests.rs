//! Tests of what may be drawn.

use std::time::Duration;

use super::{Ink, Movement, Terminal, Tone, seconds};

fn decide(variables: &[(&str, &str)], is_terminal: bool) -> Terminal {
    let variable = |name: &str| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    Terminal::decide(&variable, is_terminal, is_terminal)
}

#[test]
fn a_terminal_gets_colours_and_a_spinner() {
    let terminal = decide(&[("TERM", "xterm")], true);
    assert_eq!((terminal.output, terminal.movement), (Ink::Colour, Movement::Spinner));
    assert_eq!(terminal.paint(Tone::Good, "ok"), "\x1b[32mok\x1b[0m");
}

#[test]
fn a_file_gets_plain_lines() {
    let terminal = decide(&[("TERM", "xterm")], false);
    assert_eq!((terminal.output, terminal.movement), (Ink::Plain, Movement::Lines));
    assert_eq!(terminal.paint(Tone::Bad, "failed"), "failed");
}

#[test]
fn colours_are_refused() {
    for refusal in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb"), ("CI", "true")] {
        assert_eq!(decide(&[refusal], true).output, Ink::Plain, "{refusal:?}");
    }
}

#[test]
fn refusing_colours_leaves_the_spinner() {
    assert_eq!(decide(&[("NO_COLOR", "1")], true).movement, Movement::Spinner);
}

#[test]
fn empty_variables_say_nothing() {
    assert_eq!(decide(&[("NO_COLOR", ""), ("CI", "")], true).output, Ink::Colour);
}

#[test]
fn nothing_moves_in_ci_or_on_a_dumb_terminal() {
    assert_eq!(decide(&[("CI", "true")], true).movement, Movement::Lines);
    assert_eq!(decide(&[("TERM", "dumb")], true).movement, Movement::Lines);
    assert_eq!(decide(&[("CI", "false")], true).movement, Movement::Spinner);
}

#[test]
fn colours_can_be_forced_but_a_refusal_wins() {
    assert_eq!(decide(&[("CLICOLOR_FORCE", "1")], false).output, Ink::Colour);
    assert_eq!(decide(&[("CLICOLOR_FORCE", "0")], false).output, Ink::Plain);
    assert_eq!(decide(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true).output, Ink::Plain);
}

#[test]
fn durations_keep_three_digits() {
    assert_eq!(seconds(Duration::from_millis(31)), "0.03 s");
    assert_eq!(seconds(Duration::from_millis(9_994)), "9.99 s");
    assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
    assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
}
