//! What can be asked of IPVS.

use std::fmt;

use super::{
    Command, Timeouts, attribute,
    daemon::{Role, SyncDaemon},
    destination::{self, Destination, DestinationKey},
    service::{Service, ServiceKey},
};
use crate::kernel::attributes::Attributes;

/// One request. What the kernel's usual refusals mean: EEXIST, it is there already; ESRCH and ENOENT, the service, the
/// destination or the daemon is not there, or there is no such scheduler or persistence engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A service that is not there yet.
    AddService(Service),
    /// Another scheduler, other flags, another persistence.
    EditService(Service),
    /// With all its destinations.
    DeleteService(ServiceKey),
    /// A destination that is not there yet.
    AddDestination(ServiceKey, Destination),
    /// Another weight, thresholds or forwarding; connections stay.
    EditDestination(ServiceKey, Destination),
    /// No new connections to it.
    DeleteDestination(ServiceKey, DestinationKey),
    /// Starts a daemon. The kernel hangs in stopping one that was started less than some milliseconds before.
    StartDaemon(SyncDaemon),
    /// Stops the daemon of a role.
    StopDaemon(Role),
    /// How long connections are remembered.
    SetTimeouts(Timeouts),
    /// Everything goes.
    Flush,
}

impl Change {
    pub(super) fn command(&self) -> Command {
        match self {
            Self::AddService(_) => Command::NewService,
            Self::EditService(_) => Command::SetService,
            Self::DeleteService(_) => Command::DeleteService,
            Self::AddDestination(..) => Command::NewDestination,
            Self::EditDestination(..) => Command::SetDestination,
            Self::DeleteDestination(..) => Command::DeleteDestination,
            Self::StartDaemon(_) => Command::NewDaemon,
            Self::StopDaemon(_) => Command::DeleteDaemon,
            Self::SetTimeouts(_) => Command::SetConfig,
            Self::Flush => Command::Flush,
        }
    }

    pub(super) fn write(&self, message: &mut Attributes) {
        match self {
            Self::AddService(service) | Self::EditService(service) => {
                message.nest(attribute::SERVICE, |inside| service.write(inside));
            }
            Self::DeleteService(key) => {
                message.nest(attribute::SERVICE, |inside| key.write(inside));
            }
            Self::AddDestination(service, destination) | Self::EditDestination(service, destination) => {
                message
                    .nest(attribute::SERVICE, |inside| service.write(inside))
                    .nest(attribute::DESTINATION, |inside| destination.write(inside));
            }
            Self::DeleteDestination(service, key) => {
                message
                    .nest(attribute::SERVICE, |inside| service.write(inside))
                    .nest(attribute::DESTINATION, |inside| destination::write_key(*key, inside));
            }
            Self::StartDaemon(daemon) => {
                message.nest(attribute::DAEMON, |inside| daemon.write(inside));
            }
            Self::StopDaemon(role) => {
                message.nest(attribute::DAEMON, |inside| role.write(inside));
            }
            Self::SetTimeouts(timeouts) => {
                let each = [
                    (attribute::TIMEOUT_TCP, timeouts.tcp),
                    (attribute::TIMEOUT_TCP_FIN, timeouts.tcp_fin),
                    (attribute::TIMEOUT_UDP, timeouts.udp),
                ];
                for (kind, seconds) in each {
                    if let Some(seconds) = seconds {
                        message.u32(kind, seconds);
                    }
                }
            }
            Self::Flush => {}
        }
    }
}

/// What is being done, with its objects, for an error.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddService(service) => {
                write!(f, "adding service {} with scheduler {} to IPVS", service.key, service.scheduler)
            }
            Self::EditService(service) => write!(f, "changing service {} of IPVS", service.key),
            Self::DeleteService(key) => write!(f, "removing service {key} from IPVS"),
            Self::AddDestination(service, destination) => {
                write!(f, "adding server {} to {service} of IPVS", destination.key)
            }
            Self::EditDestination(service, destination) => {
                write!(f, "changing server {} of {service} of IPVS", destination.key)
            }
            Self::DeleteDestination(service, key) => {
                write!(f, "removing server {key} from {service} of IPVS")
            }
            Self::StartDaemon(daemon) => {
                write!(f, "starting the {} daemon of IPVS on {}", daemon.role, daemon.interface)
            }
            Self::StopDaemon(role) => write!(f, "stopping the {role} daemon of IPVS"),
            Self::SetTimeouts(_) => f.write_str("setting the time-outs of IPVS"),
            Self::Flush => f.write_str("emptying IPVS"),
        }
    }
}
