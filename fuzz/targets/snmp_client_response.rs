//! libFuzzer's way into [`steadfast_fuzz::snmp_client_response`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::snmp_client_response::check(input));
