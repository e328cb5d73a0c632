//! `steadfast snmp`: a small manager, with the options that net-snmp's tools have.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::usm_protocols::{Authentication, Privacy};

/// What a manager does.
#[derive(Clone, Debug, Subcommand)]
pub enum SnmpCommand {
    /// Print an agent's objects, by default those of KEEPALIVED-MIB
    Walk {
        /// Whom to ask
        #[command(flatten)]
        asking: Asking,
        /// Ask for so many objects at once; 0 asks for one after the other, as version 1 always does
        #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(i32).range(0..=1000))]
        max_repetitions: i32,
        /// The agent, as ADDRESS, NAME or either with :PORT
        agent: String,
        /// Where to begin, as KEEPALIVED-MIB::vrrp, vrrpInstanceState or .1.3.6.1.2.1.1
        #[arg(default_value = "KEEPALIVED-MIB::keepalived")]
        object: String,
    },
    /// Print some of an agent's objects
    Get {
        /// Whom to ask
        #[command(flatten)]
        asking: Asking,
        /// The agent, as ADDRESS, NAME or either with :PORT
        agent: String,
        /// The objects, as vrrpInstanceState.1 or .1.3.6.1.2.1.1.3.0
        #[arg(required = true)]
        objects: Vec<String>,
    },
    /// Print the notifications that arrive, and acknowledge informs, until you stop it
    Listen {
        /// Whom to believe; without a user those of version 3 are not read
        #[command(flatten)]
        user: UsmOptions,
        /// Only notifications of versions 1 and 2c with this community; any when absent
        #[arg(short, long)]
        community: Option<String>,
        /// Stop after so many notifications
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// Numbers in place of names
        #[arg(long)]
        numeric: bool,
        /// Where to listen, as ADDRESS:PORT; an address of IPv6 is in brackets
        #[arg(default_value = "0.0.0.0:162")]
        address: String,
    },
}

/// How an agent is asked.
#[derive(Clone, Debug, Args)]
pub struct Asking {
    /// Version of SNMP
    #[arg(short, long, value_enum, default_value_t = SnmpVersion::V2c)]
    pub version: SnmpVersion,
    /// Community of versions 1 and 2c
    #[arg(short, long, default_value = "public")]
    pub community: String,
    /// Who asks in version 3
    #[command(flatten)]
    pub user: UsmOptions,
    /// Context of version 3
    #[arg(short = 'n', long, default_value = "")]
    pub context: String,
    /// How long an answer is waited for, in seconds
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub timeout: Duration,
    /// How often a question is repeated that nobody answers
    #[arg(short, long, value_name = "N", default_value_t = 5)]
    pub retries: u32,
    /// Numbers in place of names
    #[arg(long)]
    pub numeric: bool,
}

/// A user of version 3.
#[derive(Clone, Debug, Args)]
pub struct UsmOptions {
    /// User of version 3
    #[arg(short = 'u', long, value_name = "NAME")]
    pub user: Option<String>,
    /// How messages of version 3 are protected; as well as the passwords allow when absent
    #[arg(short = 'l', long, value_enum)]
    pub level: Option<SecurityLevel>,
    /// How they are signed
    #[arg(short = 'a', long, value_enum, ignore_case = true, default_value_t = Authentication::Sha1)]
    pub auth: Authentication,
    /// Password for that, 8 characters or more; `ps` shows it, so SNMP_AUTH_PASSWORD of the environment may have it instead
    #[arg(short = 'A', long, value_name = "PASSWORD")]
    pub auth_password: Option<String>,
    /// How they are encrypted
    #[arg(short = 'x', long = "priv", value_enum, ignore_case = true, default_value_t = Privacy::Aes128)]
    pub privacy: Privacy,
    /// Password for that; or SNMP_PRIV_PASSWORD of the environment
    #[arg(short = 'X', long, value_name = "PASSWORD")]
    pub priv_password: Option<String>,
}

/// Versions of SNMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are the versions'")]
pub enum SnmpVersion {
    #[value(name = "1")]
    V1,
    #[value(name = "2c")]
    V2c,
    #[value(name = "3")]
    V3,
}

/// How much a message of version 3 is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SecurityLevel {
    /// Not at all
    #[value(name = "noAuthNoPriv")]
    NoAuthNoPriv,
    /// Signed
    #[value(name = "authNoPriv")]
    AuthNoPriv,
    /// Signed and encrypted
    #[value(name = "authPriv")]
    AuthPriv,
}

/// Reads `-t`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.ok_or_else(|| format!("`{text}` is no number of seconds: write one as 2 or 0.5"))
}
