//! `steadfast replay FILE`: hands the inputs of a recording to new machines and says where they act otherwise.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::Path,
    process::ExitCode,
};

use crate::record::{self, Difference, Replayed};

/// Replays a recording; exit status 0 when every machine did the same, 1 otherwise.
pub fn run(file: &Path) -> ExitCode {
    let replayed =
        File::open(file).map_err(record::Invalid::from).and_then(|open| record::replay(BufReader::new(open)));
    let (text, is_same) = match replayed {
        Ok(replayed) => (report(&replayed), replayed.differences.is_empty()),
        Err(error) => (format!("{}: {error}\n", file.display()), false),
    };
    let shown = if is_same { write(io::stdout(), &text) } else { write(io::stderr(), &text) };
    if is_same && shown.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(mut out: impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())
}

fn report(replayed: &Replayed) -> String {
    let Replayed { routers, inputs, actions, differences, notes } = replayed;
    let mut text = String::new();
    for note in notes {
        text += &format!("{note}\n");
    }
    for Difference { line, name, recorded, found } in differences {
        let show = |action: &Option<String>| action.clone().unwrap_or_else(|| "nothing".into());
        text +=
            &format!("line {line} ({name}):\n  recorded {}\n  now      {}\n", show(recorded), show(found));
    }
    text + &format!(
        "{routers} routers, {inputs} inputs, {actions} actions, {} differences\n",
        differences.len()
    )
}
