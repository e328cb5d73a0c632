//! libFuzzer's way into [`steadfast_fuzz::agentx_pdu`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::agentx_pdu::check(input));
