//! The columns of statistics that virtual and real servers both have: what IPVS counts with 64 bits, in the types of the
//! MIB.

/// A column of a row that has `traffic()`: kind, number, name, and which of its numbers.
macro_rules! statistic {
    // A Gauge32 stays at its end (RFC 2578 §7.1.7).
    (GAUGE $number:literal $name:literal $($field:ident).+) => {
        Column::new($number, $name, Syntax::Gauge32, |_, row| unsigned(row.traffic().$($field).+))
    };
    // A Counter32 wraps (RFC 2578 §7.1.6).
    (COUNTER $number:literal $name:literal $($field:ident).+) => {
        Column::new($number, $name, Syntax::Counter32, |_, row| {
            Some(Value::Counter32(low(row.traffic().$($field).+)))
        })
    };
    // Rates have this type in the MIB, although they fall as well.
    (COUNTER64 $number:literal $name:literal $($field:ident).+) => {
        Column::new($number, $name, Syntax::Counter64, |_, row| {
            Some(Value::Counter64(row.traffic().$($field).+))
        })
    };
    (LOW $number:literal $name:literal $($field:ident).+) => {
        Column::new($number, $name, Syntax::Unsigned32, |_, row| {
            unsigned(low(row.traffic().$($field).+))
        })
    };
    (HIGH $number:literal $name:literal $($field:ident).+) => {
        Column::new($number, $name, Syntax::Unsigned32, |_, row| unsigned(row.traffic().$($field).+ >> 32))
    };
}
pub(super) use statistic;
