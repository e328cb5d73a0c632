//! libFuzzer's way into [`steadfast_fuzz::agentx_session`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::agentx_session::check(input));
