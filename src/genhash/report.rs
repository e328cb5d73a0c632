//! What is printed: the digest, and with `-v` everything that it is made of, as keepalived shows it.

use std::{
    io::{self, Write},
    time::Duration,
};

/// Bytes of a line.
const ROW: usize = 16;

pub(super) struct Report<W> {
    to: W,
    verbose: bool,
    /// The body has a heading already.
    has_body: bool,
}

impl<W: Write> Report<W> {
    pub(super) fn new(to: W, verbose: bool) -> Self {
        Self { to, verbose, has_body: false }
    }

    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.heading("   HTTP Header Buffer   ")
    }

    pub(super) fn header(&mut self, header: &[u8]) -> io::Result<()> {
        if !self.verbose {
            return Ok(());
        }
        self.bytes(header)?;
        self.heading("HTTP Header Ascii Buffer")?;
        let shown: String = String::from_utf8_lossy(header).chars().map(harmless).collect();
        writeln!(self.to, "{shown}")
    }

    pub(super) fn body(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.verbose {
            return Ok(());
        }
        if !self.has_body {
            self.has_body = true;
            self.heading("       HTML Buffer       ")?;
        }
        self.bytes(bytes)
    }

    pub(super) fn end(&mut self, digest: &[u8], url: &str, took: Duration) -> io::Result<()> {
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if !self.verbose {
            return writeln!(self.to, "{digits}");
        }
        writeln!(self.to)?;
        self.heading("   HTML hash resulting   ")?;
        self.bytes(digest)?;
        self.heading("HTML hash final resulting")?;
        writeln!(self.to, "{digits}\n")?;
        writeln!(self.to, "Global response time for [{url}] = {} usecs", took.as_micros())
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        if !self.verbose {
            return Ok(());
        }
        let line = "-".repeat(23);
        writeln!(self.to, "{line}[ {text} ]{line}")
    }

    /// Offset, hexadecimal digits and signs, in rows.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (number, row) in bytes.chunks(ROW).enumerate() {
            let digit =
                |at: usize| row.get(at).map_or_else(|| "   ".to_owned(), |byte| format!("{byte:02x} "));
            let [first, second] = [0..ROW / 2, ROW / 2..ROW].map(|half| half.map(digit).collect::<String>());
            let signs =
                row.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' });
            let signs: String = signs.collect();
            writeln!(self.to, "{:04}  {first}- {second}  {signs:<ROW$}", number * ROW)?;
        }
        Ok(())
    }
}

/// A sign of a header, unless a terminal would do something for it.
fn harmless(sign: char) -> char {
    if sign.is_control() && !matches!(sign, '\r' | '\n' | '\t') { '.' } else { sign }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_header_tells_a_terminal_anything() {
        let mut shown = Vec::new();
        // The last two are what a terminal with eight bits, and one with UTF-8, take for the beginning of a command.
        Report::new(&mut shown, true).header(b"X:\x1b]0;x\x07\x9b\xc2\x9b\r\n\r\n").unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.ends_with("X:.]0;x.\u{fffd}.\r\n\r\n\n"), "{shown:?}");
    }

    #[test]
    fn a_page_is_shown_as_keepalived_does() {
        let mut shown = Vec::new();
        let mut report = Report::new(&mut shown, true);
        report.begin().unwrap();
        report.header(b"HTTP/1.0 200 ok\r\n\r\n").unwrap();
        report.body(b"hello\n").unwrap();
        report
            .end(&[0xb1, 0x94, 0x6a, 0xc9, 0x24, 0x92, 0xd2, 0x34], "/x", Duration::from_micros(7))
            .unwrap();
        let expected = "\
-----------------------[    HTTP Header Buffer    ]-----------------------
0000  48 54 54 50 2f 31 2e 30 - 20 32 30 30 20 6f 6b 0d   HTTP/1.0 200 ok.
0016  0a 0d 0a                -                           ...             
-----------------------[ HTTP Header Ascii Buffer ]-----------------------
HTTP/1.0 200 ok\r
\r

-----------------------[        HTML Buffer        ]-----------------------
0000  68 65 6c 6c 6f 0a       -                           hello.          

-----------------------[    HTML hash resulting    ]-----------------------
0000  b1 94 6a c9 24 92 d2 34 -                           ..j.$..4        
-----------------------[ HTML hash final resulting ]-----------------------
b1946ac92492d234

Global response time for [/x] = 7 usecs
";
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    }
}
