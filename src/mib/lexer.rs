//! The words of a MIB module.

/// What is left of a module.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a>(&'a str);

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Without blanks and comments in front.
    fn begin(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            let Some(comment) = self.0.strip_prefix("--") else { return };
            self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    /// What comes next, without taking it.
    pub(super) fn peek(&self) -> Option<&'a str> {
        self.clone().next()
    }

    /// Takes the next word if it is this one.
    pub(super) fn takes(&mut self, word: &str) -> bool {
        let is = self.peek() == Some(word);
        if is {
            self.next();
        }
        is
    }

    /// Goes on behind the next `word`.
    pub(super) fn skip_past(&mut self, word: &str) {
        let _there = self.find(|next| *next == word);
    }

    /// The words of a group that has just begun, up to its end, which is taken as well.
    pub(super) fn group(&mut self) -> Vec<&'a str> {
        let mut depth = 1;
        let inside = |word: &&str| {
            match *word {
                "{" | "(" => depth += 1,
                "}" | ")" => depth -= 1,
                _ => {}
            }
            depth > 0
        };
        self.take_while(inside).collect()
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = &'a str;

    /// A text begins with its quotation mark and has none at its end.
    fn next(&mut self) -> Option<&'a str> {
        self.begin();
        let first = self.0.chars().next()?;
        let is_word = |char: char| char.is_alphanumeric() || char == '-' || char == '_';
        let length = if first == '"' {
            self.0.char_indices().skip(1).find(|(_, char)| *char == '"').map_or(self.0.len(), |(at, _)| at)
        } else if self.0.starts_with("::=") {
            3
        } else if is_word(first) {
            self.0.find(|char| !is_word(char)).unwrap_or(self.0.len())
        } else {
            first.len_utf8()
        };
        let (word, rest) = self.0.split_at(length);
        self.0 = if first == '"' { rest.strip_prefix('"').unwrap_or(rest) } else { rest };
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_texts_and_signs() {
        let lexer =
            Lexer::new("a OBJECT-TYPE -- not this\n SYNTAX INTEGER{up (1),down(-2)} \"a -- b\" ::= { b 2 }");
        let words: Vec<_> = lexer.clone().collect();
        assert_eq!(words[..4], ["a", "OBJECT-TYPE", "SYNTAX", "INTEGER"]);
        assert_eq!(words[4..14], ["{", "up", "(", "1", ")", ",", "down", "(", "-2", ")"]);
        assert_eq!(words[14..], ["}", "\"a -- b", "::=", "{", "b", "2", "}"]);
        let mut lexer = lexer;
        lexer.skip_past("{");
        assert_eq!(lexer.group().len(), 9);
        assert!(!lexer.takes("::=") && lexer.next() == Some("\"a -- b") && lexer.takes("::="));
    }
}
