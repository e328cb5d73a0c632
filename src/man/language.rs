//! The words of the configuration as a manual page.

use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::{
    cli::DEFAULT_CONFIG,
    config::explain::{self, Word},
};

/// What the page is called: keepalived has one of its own for the same file.
pub(super) const FILE: &str = "steadfast.conf.5";

/// The page: a section for each block, with its words in the order of the tables.
pub(super) fn page() -> String {
    let mut roff = Roff::new();
    let source = concat!("Steadfast ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", ["steadfast.conf", "5", "", source, "Configuration"]);
    section(
        &mut roff,
        "NAME",
        &[roman("steadfast.conf - the words of keepalived.conf, as Steadfast reads them")],
    );
    let description = [
        roman("The file is keepalived's: "),
        italic(DEFAULT_CONFIG),
        roman(
            " unless -f names another one. Each section below is a block, or what may follow the first word of one kind of \
             line. `steadfast config explain WORD` shows the same for one word, and `steadfast -t` says what is wrong with a file.",
        ),
    ];
    section(&mut roff, "DESCRIPTION", &description);
    for chapter in explain::chapters() {
        roff.control("SH", [chapter.block.to_uppercase().as_str()]);
        chapter.words.iter().for_each(|word| entry(&mut roff, word));
    }
    section(&mut roff, "SEE ALSO", &[bold("steadfast"), roman("(1), "), bold("genhash"), roman("(1)")]);
    roff.render()
}

fn section(roff: &mut Roff, title: &str, text: &[Inline]) {
    roff.control("SH", [title]);
    roff.text(text);
}

fn entry(roff: &mut Roff, word: &Word) {
    roff.control("TP", []);
    let arguments = (!word.arguments.is_empty()).then(|| [roman(" "), italic(word.arguments)]);
    roff.text([bold(word.name)].into_iter().chain(arguments.into_iter().flatten()).collect::<Vec<_>>());
    roff.text([roman(word.help)]);
    for (title, text) in &word.facts {
        roff.control("br", []);
        roff.text([roman(format!("{title}: {text}"))]);
    }
}
