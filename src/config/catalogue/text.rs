//! The text itself, before keywords matter.

use super::{Kind, kind};

pub(super) const TEXT: &[Kind] = &[
    kind(
        "comment-inside-word",
        "A `#` or `!` in the middle of a word begins a comment, so the rest of the word is not \
         part of the value. Passwords such as `k@l!ve` are cut this way.",
        "Put the word in double quotes, or write `\\!` and `\\#`; put a blank before a real comment.",
    ),
    kind(
        "unclosed-quote",
        "A double quote is not closed on its line; what follows it is ignored.",
        "Close it on the same line.",
    ),
    kind(
        "line-too-long",
        "A line has more than 1023 bytes and is not read.",
        "Split it into several settings, or shorten it with a parameter.",
    ),
    kind(
        "nul-byte",
        "A line holds NUL bytes, which are dropped. The file may be damaged, or saved as UTF-16.",
        "Save it as plain text in UTF-8.",
    ),
    kind(
        "byte-order-mark",
        "The file begins with a byte order mark, which keepalived takes for a part of the first word.",
        "Save it as UTF-8 without a byte order mark.",
    ),
    kind(
        "wide-characters",
        "The file is UTF-16, which keepalived does not read. It is read here as what it is meant to say, so that all \
         other findings are there, too.",
        "Save it as UTF-8 without a byte order mark: `iconv -f UTF-16 -t UTF-8`.",
    ),
    kind(
        "lookalike-character",
        "A no-break space, a typographic quote or a dash stands outside quotes. It looks like a blank, a `\"` or a `-`, and \
         is a letter to the language.",
        "Write the plain character.",
    ),
    kind(
        "missing-brace",
        "No `{` follows a keyword that opens a block. The lines after it are read as the block all \
         the same.",
        "Open the block with `{` on the same line or the next.",
    ),
    kind(
        "stray-brace",
        "A `{` belongs to no keyword. It is ignored, and the `}` meant for it ends the block \
         around it.",
        "Remove the pair of braces.",
    ),
    kind(
        "surplus-brace",
        "A `}` closes nothing: every block has been closed before it.",
        "Look above it for a `}` too many.",
    ),
    kind(
        "unclosed-block",
        "A block is not closed by the end of the file, so everything up to there was read as part \
         of it.",
        "Add the missing `}`.",
    ),
    kind(
        "unclosed-list",
        "A line of a list is a setting of the block around it: the `}` of the list is missing above that line.",
        "Add the missing `}`.",
    ),
    kind(
        "undefined-parameter",
        "`$NAME` or `${NAME}` names a parameter without a value above it: it is misspelt, defined too late, or never. \
         It is taken as text, and its braces as those of a block. Without braces a name ends only at a blank, a comma, a \
         `)` or the end of the line.",
        "Define it above with `$NAME=VALUE`, write `${NAME}`, or write the value itself.",
    ),
    kind(
        "unfinished-definition",
        "A definition of several lines has no last line: everything after it was read as its value.",
        "Leave out the `\\` at the end of its last line.",
    ),
    kind(
        "endless-expansion",
        "The parameters of a line expand without end, or to more than is allowed.",
        "A definition must not contain itself.",
    ),
    kind(
        "expansion-too-large",
        "Definitions and sequences come to more lines than are read; the rest is not expanded.",
        "Let the sequences count to less, or write fewer of them.",
    ),
    kind(
        "invalid-iteration",
        "`~SEQ` or `~LST` cannot be carried out as written.",
        "Write `~SEQ(NAME, [START, [STEP,]] END)` or `~LST({NAME,…},{VALUE,…},…)` before the text \
         to repeat.",
    ),
    kind(
        "include-nothing",
        "Nothing matches the name on an `include` line.",
        "A relative name starts at the directory of the file that includes it.",
    ),
    kind(
        "include-too-deep",
        "Files include one another in circles, or too many of them: this one is not read.",
        "A file must not include itself.",
    ),
    kind(
        "unusable-file",
        "A configuration file cannot be read, is a directory or has an execute bit.",
        "Correct the name or the permissions; configuration is read from plain files that are not \
         executable.",
    ),
    kind(
        "file-too-large",
        "A file, or all files together, hold more than is read.",
        "Name a configuration file; shorten it with parameters and `~SEQ`.",
    ),
    kind(
        "more-findings",
        "There are more findings of one kind than are listed.",
        "Mend the first ones; perhaps this is no configuration file.",
    ),
    kind(
        "no-configuration",
        "There is no configuration file of that name.",
        "Create it, or name another one with `-f`.",
    ),
];
