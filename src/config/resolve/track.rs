//! Lines of `track_script`.

use std::collections::HashSet;

use super::{Context, script::Candidates};
use crate::{
    config::{
        Diagnostic, Severity, TrackedScript,
        text::{Line, Word},
        value,
    },
    units::Priority,
};

/// `NAME [weight N [reverse|noreverse]]`, one per line; `known` are the scripts that are tracked.
pub(super) fn scripts(
    lines: &[Line],
    scripts: &Candidates,
    tracks: &mut Vec<TrackedScript>,
    known: &mut HashSet<usize>,
    context: &mut Context<'_>,
) {
    for line in lines {
        let name = line.first();
        let Some((index, candidate)) = scripts.named(name.text) else {
            if !scripts.knows(name.text) {
                report_unknown(name, context);
            }
            continue;
        };
        if !known.insert(index) {
            context.add(
                Diagnostic::new(
                    "duplicate-setting",
                    Severity::Error,
                    format!("{} is already tracked: the line is ignored", name.text),
                    &name.span(),
                )
                .help("remove one of the two lines"),
            );
            continue;
        }
        let script = &candidate.script;
        let mut tracked = TrackedScript {
            name: name.text.to_owned(),
            script: index,
            weight: script.weight,
            reverse: script.reverse,
            at: name.span(),
        };
        options(line.words(1), &mut tracked, context);
        tracks.push(tracked);
    }
}

fn options<'a>(
    mut words: impl Iterator<Item = Word<'a>>,
    tracked: &mut TrackedScript,
    context: &mut Context<'_>,
) {
    while let Some(word) = words.next() {
        match word.text {
            "weight" => weight(word, words.next(), tracked, context),
            "reverse" => tracked.reverse = true,
            "noreverse" => tracked.reverse = false,
            _ => context.add(
                Diagnostic::new(
                    "unknown-option",
                    Severity::Error,
                    format!("`{}` means nothing here and is ignored", word.text),
                    &word.span(),
                )
                .help("write one script per line, as NAME [weight N [reverse]]"),
            ),
        }
    }
}

fn weight(keyword: Word<'_>, word: Option<Word<'_>>, tracked: &mut TrackedScript, context: &mut Context<'_>) {
    let number =
        word.and_then(|word| value::integer(word.text)).filter(|number| (-253..=253).contains(number));
    match number.and_then(|number| i16::try_from(number).ok()) {
        Some(weight) => tracked.weight = weight,
        None => context.add(
            Diagnostic::new(
                "invalid-value",
                Severity::Error,
                "this weight is not valid: the script's own is used",
                &word.unwrap_or(keyword).span(),
            )
            .help("write weight with a whole number from -253 to 253"),
        ),
    }
}

fn report_unknown(name: Word<'_>, context: &mut Context<'_>) {
    context.add(
        Diagnostic::new(
            "unknown-script",
            Severity::Error,
            format!("there is no vrrp_script {} above this line: it is not tracked", name.text),
            &name.span(),
        )
        .info("a name must be defined before it is used")
        .help(format!("define vrrp_script {} above this block, or correct the name", name.text)),
    );
}

/// The owner's priority never changes, so a script that only moves it does nothing.
pub(super) fn without_weights_for_owner(
    tracks: &mut Vec<TrackedScript>,
    priority: Priority,
    instance: Word<'_>,
    context: &mut Context<'_>,
) {
    if priority != Priority::OWNER {
        return;
    }
    for tracked in tracks.extract_if(.., |tracked| tracked.weight != 0) {
        let headline =
            format!("{} does not track {}: priority 255 never changes", instance.text, tracked.name);
        context.add(
            Diagnostic::new("weight-on-owner", Severity::Error, headline, &instance.span())
                .help("give the instance a priority below 255, or the script weight 0"),
        );
    }
}
