//! Configurations made of the keyword tables: sensible ones, and sensible ones that were damaged.
//!
//! The same seed gives the same text, so a failure is repeated by its number.

use steadfast::config::keywords::{self, Block, Keyword, Value};

/// What follows every generated word for a secret: no output may show it.
pub const SECRET: &str = "zq8Geheim";

/// Deepest nesting of blocks; the tables have fewer.
const MAX_DEPTH: usize = 8;

/// What stands where the tables leave a choice.
const WORDS: &[&str] = &[
    "a",
    "b",
    "VI_1",
    "VI_2",
    "chk",
    "group",
    "fwmark",
    "eth0",
    "lo",
    "nosuch0",
    "10.0.0.1",
    "192.0.2.10/24",
    "192.0.2.10/33",
    "2001:db8::1",
    "2001:db8::/32",
    "10.0.0.1-9",
    "80",
    "443",
    "0",
    "1",
    "-1",
    "255",
    "65536",
    "4294967296",
    "0x10",
    "1.5",
    ".5",
    "weight",
    "reverse",
    "dev",
    "scope",
    "via",
    "table",
    "TCP",
    "UDP",
    "dr",
    "NAT",
    "MASTER",
    "nobody",
    "wheel",
    "\"/bin/true x\"",
    "/bin/true",
    "/no/such",
    "\"a b",
    "''",
    "\"\"",
    "9999999999999999999999",
];

/// What damage inserts: every character and word that the reader itself looks at.
const MARKS: &[&str] = &[
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "\\\n",
    "#",
    "!",
    "\0",
    "\r\n",
    "\n",
    " ",
    "\t",
    "$A=x\n",
    "$A=$A\n",
    "$A=$B$B\n",
    "$B=1 2\\\n3\\\n4\n",
    "$A",
    "${A}",
    "${_ENV SITE}",
    "${_RANDOM 1 5}",
    "${_HASH}",
    "${_BANG}",
    "${_PWD}",
    "~SEQ(A,3) ",
    "~SEQ(A,1,2,9) ",
    "~SEQx(A,16) ",
    "~LST(A,x,y) ",
    "~LST({A,B},{1,2},{3,4}) ",
    "@router1 ",
    "@^router1 ",
    "@x ",
    "include *\n",
    "include main.conf\n",
    "includea {a,b}.conf\n",
    "include_check\n",
    "random_seed 7\n",
    "\u{feff}",
    "\u{e4}",
    "\u{1f600}",
];

/// SplitMix64.
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// A configuration of random blocks, words and arguments.
pub fn sensible(random: &mut Random) -> String {
    let mut out = String::new();
    lines(keywords::ROOT, random, 0, &mut out);
    out
}

/// A sensible one in which one word at the beginning of a line is misspelt.
pub fn misspelt(random: &mut Random) -> String {
    let text = sensible(random);
    let chosen = random.below(text.lines().count());
    let misspell = |(number, line): (usize, &str)| {
        let start = line.len() - line.trim_start().len();
        let length = line[start..].find(' ').unwrap_or(line.len() - start);
        let mut line = line.to_owned();
        if number == chosen && length > 2 {
            line.remove(start + random.below(length));
        }
        line + "\n"
    };
    text.lines().enumerate().map(misspell).collect()
}

/// One that was cut, spliced and sprinkled.
pub fn damaged(random: &mut Random) -> Vec<u8> {
    let mut bytes = sensible(random).into_bytes();
    damage(&mut bytes, MARKS, random);
    bytes
}

/// Cuts, splices, and sprinkles with these marks.
pub fn damage(bytes: &mut Vec<u8>, marks: &[&str], random: &mut Random) {
    for _ in 0..=random.below(6) {
        let (at, to) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
        match random.below(6) {
            0 => bytes.truncate(at.max(8)),
            1 => drop(bytes.drain(at.min(to)..at.max(to).min(at.min(to) + 40))),
            2 => {
                let copy = bytes[at.min(to)..at.max(to).min(at.min(to) + 200)].to_vec();
                bytes.splice(at..at, copy);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => drop(bytes.splice(at..at, random.pick(marks).bytes())),
        }
    }
}

/// The words and marks of the language, as a dictionary for a fuzzer.
pub fn dictionary() -> String {
    let mut words: Vec<&str> = MARKS.iter().chain(WORDS).copied().collect();
    keywords::visit(keywords::ROOT, &mut |block| {
        for keyword in block.all() {
            words.push(keyword.name);
            if let Value::OneOf(choices) | Value::OneOfAnyCase(choices) = keyword.value {
                words.extend(choices);
            }
            if let Value::Lines(options) = keyword.value {
                words.extend(options.all().map(|option| option.name));
            }
        }
    });
    words.sort_unstable();
    words.dedup();
    let plain = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && !matches!(byte, b'"' | b'\\');
    let quoted = |word: &str| -> String {
        let byte =
            |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("\\x{byte:02X}") };
        format!("\"{}\"\n", word.bytes().map(byte).collect::<String>())
    };
    words.into_iter().map(quoted).collect()
}

fn lines(block: &'static Block, random: &mut Random, depth: usize, out: &mut String) {
    let words: Vec<_> = block.all().collect();
    for _ in 0..=random.below(if depth == 0 { 8 } else { 6 }) {
        if words.is_empty() || depth > MAX_DEPTH {
            return;
        }
        let keyword = *random.pick(&words);
        line(keyword, random, depth, out);
    }
}

fn line(keyword: &'static Keyword, random: &mut Random, depth: usize, out: &mut String) {
    let indent = "    ".repeat(depth);
    out.push_str(&format!("{indent}{}{}", keyword.name, arguments(keyword, random)));
    match keyword.value {
        Value::Body(inner) => {
            out.push_str(" {\n");
            lines(inner, random, depth + 1, out);
            out.push_str(&format!("{indent}}}\n"));
        }
        Value::Lines(options) => {
            out.push_str(" {\n");
            for _ in 0..random.below(4) {
                out.push_str(&format!("{indent}    {}", random.pick(WORDS)));
                let names: Vec<_> = options.all().map(|option| option.name).collect();
                for _ in 0..random.below(4) {
                    let word = if names.is_empty() || random.one_in(2) {
                        random.pick(WORDS)
                    } else {
                        random.pick(&names)
                    };
                    out.push_str(&format!(" {word}"));
                }
                out.push('\n');
            }
            out.push_str(&format!("{indent}}}\n"));
        }
        _ => out.push('\n'),
    }
}

/// What may follow a word: mostly what the table asks for, sometimes its edge, sometimes nothing.
fn arguments(keyword: &Keyword, random: &mut Random) -> String {
    if keyword.secret {
        return format!(" {SECRET}");
    }
    if random.one_in(16) {
        return String::new();
    }
    let edges = |min: i64, max: i64, random: &mut Random| {
        let edges = [min, max, min.saturating_sub(1), max.saturating_add(1), min.midpoint(max)];
        format!(" {}", random.pick(&edges))
    };
    let time = |min: u64, max: u64, unit: u64, random: &mut Random| {
        let micro =
            *random.pick(&[min, max, min.saturating_sub(1), max.saturating_add(1), min.midpoint(max)]);
        format!(" {}.{:06}", micro / unit, micro % unit)
    };
    match keyword.value {
        Value::Flag => String::new(),
        Value::Boolean => format!(" {}", random.pick(&["on", "off", "true", "no", "perhaps"])),
        Value::Integer(min, max) => edges(min, max, random),
        Value::Seconds(min, max) => time(min, max, 1_000_000, random),
        Value::Milliseconds(min, max) => time(min, max, 1_000, random),
        Value::OneOf(choices) | Value::OneOfAnyCase(choices) if !choices.is_empty() => {
            format!(" {}", random.pick(choices))
        }
        Value::Address => format!(" {}", random.pick(&["192.0.2.1", "2001:db8::1", "192.0.2.1/24", "x"])),
        Value::Script => {
            format!(" {}", random.pick(&["/bin/true", "\"/bin/true x\" nobody", "/no/such", "\"x"]))
        }
        _ => (0..random.below(3)).map(|_| format!(" {}", random.pick(WORDS))).collect(),
    }
}
