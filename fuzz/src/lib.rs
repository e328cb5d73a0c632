//! What is asked of every input, one module for each decoder that strangers feed.
//!
//! A module's `check` panics when the program breaks a promise. libFuzzer calls it (`targets/`), and so does
//! `tests/fuzz.rs`, which includes this file: the inputs in `corpus/` are replayed by plain `cargo test`.

pub mod agentx_pdu;
pub mod agentx_session;
pub mod config;
pub mod dns_reply;
pub mod files;
pub mod grammar;
pub mod http_response;
pub mod ipvs_answer;
pub mod smtp_talk;
pub mod snmp_client_response;
pub mod snmp_view;
pub mod udp_agent_message;
pub mod vrrp_packet;
