//! A MIB module: its definitions, as far as names and values need them (RFC 2578, RFC 2579).

use super::lexer::Lexer;

/// A module.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) name: &'static str,
    pub(super) definitions: Vec<Definition>,
    /// Types and textual conventions.
    pub(super) types: Vec<(&'static str, Written)>,
}

/// A name, and where it is.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) parent: &'static str,
    pub(super) number: u32,
    pub(super) syntax: Option<Written>,
    pub(super) units: Option<&'static str>,
    /// The objects that tell its rows apart, if it has rows.
    pub(super) index: Vec<&'static str>,
    /// The entry whose index it has.
    pub(super) augments: Option<&'static str>,
}

/// A type as it is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) name: &'static str,
    /// The names of an enumeration.
    pub(super) names: Vec<(i32, &'static str)>,
    pub(super) hint: Option<&'static str>,
}

impl Module {
    /// Reads one; what is not understood is left out.
    pub(super) fn read(text: &'static str) -> Self {
        let mut lexer = Lexer::new(text);
        let name = lexer.next().unwrap_or_default();
        let mut module = Self { name, definitions: Vec::new(), types: Vec::new() };
        lexer.skip_past("BEGIN");
        while let Some(name) = lexer.next() {
            match (name, lexer.peek()) {
                ("END", _) => break,
                ("IMPORTS", _) => lexer.skip_past(";"),
                (_, Some("MACRO")) => lexer.skip_past("END"),
                (_, Some("::=")) => module.types.extend(assigned(&mut lexer).map(|written| (name, written))),
                _ => module.definitions.extend(definition(name, &mut lexer)),
            }
        }
        module
    }
}

/// What a type is.
fn assigned(lexer: &mut Lexer<'static>) -> Option<Written> {
    lexer.skip_past("::=");
    let mut hint = None;
    if lexer.takes("TEXTUAL-CONVENTION") {
        while !lexer.takes("SYNTAX") {
            if lexer.next()? == "DISPLAY-HINT" {
                hint = lexer.next().and_then(|text| text.strip_prefix('"'));
            }
        }
    } else if lexer.takes("[") {
        lexer.skip_past("IMPLICIT");
    }
    Some(Written { hint, ..syntax(lexer)? })
}

/// A type where it is used. Ranges and sizes do not matter for what comes from an agent.
fn syntax(lexer: &mut Lexer<'static>) -> Option<Written> {
    let name = match lexer.next()? {
        "OCTET" => lexer.next().map(|_| "OCTET STRING")?,
        "OBJECT" => lexer.next().map(|_| "OBJECT IDENTIFIER")?,
        "SEQUENCE" if lexer.takes("OF") => lexer.next().map(|_| "SEQUENCE")?,
        name => name,
    };
    let mut names = Vec::new();
    if lexer.takes("{") {
        let group = lexer.group();
        let pairs = group.split(|word| *word == ",");
        names.extend(pairs.filter_map(|pair| match pair {
            [name, "(", number, ")"] => Some((number.parse().ok()?, *name)),
            _ => None,
        }));
    } else if lexer.takes("(") {
        lexer.group();
    }
    Some(Written { name, names, hint: None })
}

/// Everything else is `name MACRO … ::= { parent number }`.
fn definition(name: &'static str, lexer: &mut Lexer<'static>) -> Option<Definition> {
    let mut definition = Definition { name, ..Definition::default() };
    let words = |lexer: &mut Lexer<'static>| {
        lexer.skip_past("{");
        lexer.group().into_iter().filter(|word| *word != ",").collect::<Vec<_>>()
    };
    loop {
        match lexer.next()? {
            "SYNTAX" => {
                let syntax = syntax(lexer);
                definition.syntax = definition.syntax.or(syntax);
            }
            "UNITS" => definition.units = lexer.next().and_then(|text| text.strip_prefix('"')),
            "INDEX" => definition.index = words(lexer),
            "AUGMENTS" => definition.augments = words(lexer).first().copied(),
            "::=" => break,
            _ => {}
        }
    }
    match words(lexer)[..] {
        [parent, number] => Some(Definition { parent, number: number.parse().ok()?, ..definition }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"X-MIB DEFINITIONS ::= BEGIN
IMPORTS a, b FROM C-MIB;
OBJECT-TYPE MACRO ::= BEGIN END
x OBJECT IDENTIFIER ::= { enterprises 7 }
State ::= TEXTUAL-CONVENTION
    DISPLAY-HINT "1x:"
    STATUS current
    SYNTAX INTEGER { up(1), down (2) }
Octets ::= [APPLICATION 2] IMPLICIT OCTET STRING (SIZE (0..5))
XEntry ::= SEQUENCE { one Integer32, two State }
xState OBJECT-TYPE
    SYNTAX State
    UNITS "things"
    MAX-ACCESS read-only
    DESCRIPTION "SYNTAX INTEGER ::= { y 2 }"
    INDEX { one,
        two }
    ::= { x 3 }
END"#;

    #[test]
    fn definitions_and_types() {
        let module = Module::read(TEXT);
        assert_eq!(module.name, "X-MIB");
        let [x, state] = &module.definitions[..] else { panic!("{module:?}") };
        assert_eq!((x.name, x.parent, x.number), ("x", "enterprises", 7));
        assert_eq!((state.name, state.parent, state.number, state.units), ("xState", "x", 3, Some("things")));
        assert_eq!(state.index, ["one", "two"]);
        assert_eq!(state.syntax.as_ref().map(|syntax| syntax.name), Some("State"));
        let types: Vec<_> = module.types.iter().map(|(name, written)| (*name, written.name)).collect();
        assert_eq!(types, [("State", "INTEGER"), ("Octets", "OCTET STRING"), ("XEntry", "SEQUENCE")]);
        assert_eq!(
            (&module.types[0].1.names[..], module.types[0].1.hint),
            (&[(1, "up"), (2, "down")][..], Some("1x:"))
        );
    }
}
