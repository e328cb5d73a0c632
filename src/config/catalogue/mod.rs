//! Every kind of finding: what it means, and what to do about it. `config explain ID` and `docs/diagnostics.md` show it.

mod instances;
mod routers;
mod services;
mod text;
mod trackers;
mod values;

/// A kind of finding.
#[derive(Debug)]
pub struct Kind {
    /// The stable name that findings carry.
    pub id: &'static str,
    /// What has been found, and what comes of it.
    pub means: &'static str,
    /// What to write or do.
    pub remedy: &'static str,
}

const fn kind(id: &'static str, means: &'static str, remedy: &'static str) -> Kind {
    Kind { id, means, remedy }
}

/// The kind of a name.
pub fn named(id: &str) -> Option<&'static Kind> {
    CHAPTERS.iter().flat_map(|(_, kinds)| *kinds).find(|kind| kind.id == id)
}

/// The reference page of all kinds, in Markdown.
pub fn page() -> String {
    let mut out = "# What is found in configurations\n\n\
        Made from `src/config/catalogue`. Each finding carries one of these names in brackets; `steadfast config \
        explain NAME` shows its row.\n"
        .to_owned();
    for (chapter, kinds) in CHAPTERS {
        out.push_str(&format!("\n## {chapter}\n\n| name | what it means | what to do |\n|---|---|---|\n"));
        for kind in *kinds {
            out.push_str(&format!("| `{}` | {} | {} |\n", kind.id, kind.means, kind.remedy));
        }
    }
    out
}

/// By what they are about.
pub const CHAPTERS: &[(&str, &[Kind])] = &[
    ("The text", text::TEXT),
    ("Keywords and values", values::VALUES),
    ("Instances", instances::INSTANCES),
    ("Scripts and trackers", trackers::TRACKERS),
    ("Services", services::SERVICES),
    ("Two routers", routers::ROUTERS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<_> = CHAPTERS.iter().flat_map(|(_, kinds)| *kinds).map(|kind| kind.id).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
