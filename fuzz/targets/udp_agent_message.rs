//! libFuzzer's way into [`steadfast_fuzz::udp_agent_message`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::udp_agent_message::check(input));
