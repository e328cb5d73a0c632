//! libFuzzer's way into [`steadfast_fuzz::snmp_view`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::snmp_view::check(input));
