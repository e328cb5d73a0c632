//! `track_file` blocks.

use std::path::PathBuf;

use super::Trackables;
use crate::config::{
    Diagnostic, Severity, Span,
    resolve::Context,
    settings::{self, Section as _, Words},
    tracking::{File, InitFile},
    tree::Node,
    value,
};

/// One block; without a file it is nothing.
pub(in crate::config::resolve) fn file(node: &Node, trackables: &mut Trackables, context: &mut Context<'_>) {
    let Some(written) = settings::TrackFile::read(node, context.report) else { return };
    let (name, at) = (written.heading.name(), &written.at);
    let Some(path) = written.file.as_deref() else {
        // Which the rules report.
        return;
    };
    let file = File {
        name: name.to_owned(),
        path: PathBuf::from(path),
        weight: written.weight.adjustment(),
        reverse: written.weight.reverse,
        init: written.init_file.as_ref().map(|words| init_file(words, at, context)),
        at: at.clone(),
    };
    trackables.files.add("track_file", (name, at), file, context);
}

/// `[VALUE] [overwrite]`, in either order.
fn init_file(words: &Words, at: &Span, context: &mut Context<'_>) -> InitFile {
    let mut init = InitFile { value: 0, overwrite: false };
    for word in words.iter() {
        if word == "overwrite" {
            init.overwrite = true;
            continue;
        }
        let Some(value) = value::integer(word).and_then(|value| i32::try_from(value).ok()) else {
            let headline = format!("`{word}` means nothing after init_file and is ignored");
            context.add(
                Diagnostic::new("unknown-option", Severity::Error, headline, at)
                    .help("write init_file [VALUE] [overwrite]"),
            );
            continue;
        };
        init.value = value;
        if !(-254..=254).contains(&value) {
            let headline = format!("init_file writes {value}, more than any priority can change");
            context.add(
                Diagnostic::new("large-value", Severity::Error, headline, at)
                    .help("write a whole number from -254 to 254"),
            );
        }
    }
    init
}
