//! What a test program wrote in the guest, story by story.

/// The output of libtest: a line per test, then the words of those that failed.
#[derive(Debug)]
pub(super) struct Report(String);

impl Report {
    pub(super) fn new(output: String) -> Self {
        Self(output)
    }

    /// How a story ended: `Err` with its words when it failed or was not told at all.
    pub(super) fn verdict(&self, story: &str) -> Result<(), String> {
        let line = format!("test {story} ... ");
        let verdicts: Vec<&str> = self.0.lines().filter_map(|said| said.strip_prefix(&line)).collect();
        match verdicts.as_slice() {
            ["ok"] => Ok(()),
            [_, ..] => Err(self.words(story)),
            [] => Err(format!("{story} was not told in the guest, which said\n{}", self.0)),
        }
    }

    /// What a failed story wrote: from its heading to the next.
    fn words(&self, story: &str) -> String {
        let heading = format!("---- {story} stdout ----");
        let after = self.0.split_once(&heading).map_or(self.0.as_str(), |(_, after)| after);
        let end = after.find("\n---- ").or_else(|| after.find("\nfailures:")).unwrap_or(after.len());
        after[..end].trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "
running 2 tests
test pools::one ... ok
test pools::two ... FAILED

failures:

---- pools::two stdout ----
Error: waited 5s for a server
---- pools::three stdout ----
another

failures:
    pools::two

test result: FAILED. 1 passed; 1 failed
";

    #[test]
    fn each_story_has_its_verdict_and_its_words() {
        let report = Report::new(SAID.into());
        assert_eq!(report.verdict("pools::one"), Ok(()));
        assert_eq!(report.verdict("pools::two"), Err("Error: waited 5s for a server".into()));
    }

    #[test]
    fn a_story_that_was_not_told_has_failed() {
        let report = Report::new(SAID.into());
        assert!(report.verdict("pools::four").unwrap_err().starts_with("pools::four was not told"));
        assert!(Report::new(String::new()).verdict("pools::one").is_err());
    }
}
