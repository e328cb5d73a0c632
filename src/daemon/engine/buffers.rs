//! How large the receive buffers of sockets are: `kernel_rx_buf_size`, `vrrp_rx_bufs_policy` and
//! `vrrp_rx_bufs_multiplier`, `vrrp_netlink_monitor_rcv_bufs`.

use std::collections::HashMap;

use super::router;
use crate::{
    config::{
        Instance,
        settings::{GlobalDefs, ReceiveBuffers},
    },
    kernel::ReceiveBuffer,
    units::Family,
    vrrp,
};

/// What routers ask for, by the interface their advertisements go through and by family: a socket serves several, and has
/// room for what all of them want.
#[derive(Debug, Default)]
pub(super) struct Buffers(HashMap<(String, Family), Wish>);

/// What the routers of a socket ask for together.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    bytes: u64,
    /// So many times the interface's MTU beside.
    mtus: u64,
}

impl Buffers {
    /// Adds what a router asks for, if it asks for anything.
    pub(super) fn add(&mut self, config: &Instance, global: &GlobalDefs) {
        let times = u64::from(*global.vrrp_rx_bufs_multiplier);
        let wish = match (config.settings.kernel_rx_buf_size, global.vrrp_rx_bufs_policy) {
            (None, None) => return,
            (Some(bytes), _) | (None, Some(ReceiveBuffers::Bytes(bytes))) => {
                Wish { bytes: bytes.into(), mtus: 0 }
            }
            (None, Some(ReceiveBuffers::Mtu)) => Wish { bytes: 0, mtus: times },
            (None, Some(ReceiveBuffers::Advertisement)) => {
                let length = vrrp::advert_len(&router::settings(config, vrrp::Membership::Alone));
                Wish { bytes: u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(times), mtus: 0 }
            }
        };
        let all = self.0.entry((config.transport().to_owned(), config.family)).or_default();
        all.bytes = all.bytes.saturating_add(wish.bytes);
        all.mtus = all.mtus.saturating_add(wish.mtus);
    }

    /// That of the sockets of a family on an interface of that name and MTU.
    pub(super) fn of(&self, name: &str, family: Family, mtu: u32) -> ReceiveBuffer {
        let wish = self.0.get(&(name.to_owned(), family));
        let bytes = wish.map(|wish| wish.bytes.saturating_add(wish.mtus.saturating_mul(mtu.into())));
        let bytes = bytes.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX));
        ReceiveBuffer { bytes, force: false }
    }
}

/// Of changes that the kernel reports.
pub(super) fn of_events(global: &GlobalDefs) -> ReceiveBuffer {
    ReceiveBuffer {
        bytes: global.vrrp_netlink_monitor_rcv_bufs,
        force: *global.vrrp_netlink_monitor_rcv_bufs_force,
    }
}

/// Of its answers to requests.
pub(in crate::daemon) fn of_requests(global: &GlobalDefs) -> ReceiveBuffer {
    ReceiveBuffer { bytes: global.vrrp_netlink_cmd_rcv_bufs, force: *global.vrrp_netlink_cmd_rcv_bufs_force }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Elsewhere, Options};

    /// Two routers on eth0, of one and of two addresses, with these lines of their own below these of `global_defs`; and
    /// the buffer of their socket in bytes.
    fn bytes(global: &str, [first, second]: [&str; 2]) -> Option<u32> {
        let instance = |name: &str, vrid: u8, lines: &str, addresses: &str| {
            format!(
                "vrrp_instance {name} {{\ninterface eth0\nversion 3\nvirtual_router_id {vrid}\n{lines}\n\
                 virtual_ipaddress {{\n{addresses}\n}}\n}}\n"
            )
        };
        let text = format!("global_defs {{\n{global}\n}}\n")
            + &instance("ONE", 51, first, "10.9.0.100")
            + &instance("TWO", 52, second, "10.9.0.101\n10.9.0.102");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("buffers.conf");
        std::fs::write(&file, text).unwrap();
        let (config, report) = config::load_with(&file, &Options::default(), &Elsewhere);
        let config = config.unwrap_or_else(|| panic!("{:?}", report.lines().collect::<Vec<_>>()));
        let mut buffers = Buffers::default();
        for instance in &config.instances {
            buffers.add(instance, &config.global.settings);
        }
        assert_eq!(buffers.of("eth1", Family::V4, 1500).bytes, None);
        buffers.of("eth0", Family::V4, 1500).bytes
    }

    /// As keepalived 2.2.7 asks the kernel for with the same files.
    #[test]
    fn a_socket_has_room_for_what_all_its_routers_ask_for() {
        let nothing = ["", ""];
        assert_eq!(bytes("", nothing), None);
        assert_eq!(bytes("vrrp_rx_bufs_policy MTU", nothing), Some(2 * 3 * 1500));
        assert_eq!(bytes("vrrp_rx_bufs_policy 40000", nothing), Some(2 * 40_000));
        let adverts = "vrrp_rx_bufs_policy ADVERT\nvrrp_rx_bufs_multiplier 100";
        assert_eq!(bytes(adverts, nothing), Some(100 * ((20 + 8 + 4) + (20 + 8 + 8))));
        let own = ["kernel_rx_buf_size 30000", "kernel_rx_buf_size 50000"];
        assert_eq!(bytes("vrrp_rx_bufs_policy MTU", own), Some(30_000 + 50_000));
        let one = ["kernel_rx_buf_size 30000", ""];
        assert_eq!(bytes("vrrp_rx_bufs_policy MTU", one), Some(30_000 + 3 * 1500));
        assert_eq!(bytes("", one), Some(30_000));
    }
}
