//! A story that ended badly, for whoever has to find out why: what happened, and a file that `steadfast replay` takes.

use std::{fs, path::PathBuf};

use crate::{mutation::Mutation, story::Story, tale::tell};

/// Tells the story of a seed again, with its recording in a file. Returns the text and the file.
pub(crate) fn report(seed: u64, mutation: Option<Mutation>) -> (String, PathBuf) {
    let outcome = tell(seed, mutation, Story::told());
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("story-{seed}.jsonl"));
    fs::write(&file, &outcome.recording).expect("the directory of the tests can be written to");
    let end = match outcome.violation {
        Some((invariant, text)) => format!("{invariant:?} did not hold: {text}"),
        None => "it ended well".into(),
    };
    let text = format!(
        "{}\nseed {seed}: {end}\nSTEADFAST_SIM_SEED={seed} tells it again, its recording: steadfast replay {}",
        outcome.told,
        file.display()
    );
    (text, file)
}
