//! The addresses of this host.

use std::{collections::HashSet, net::IpAddr};

use nix::ifaddrs::getifaddrs;

use super::KernelError;

/// Every address of every interface, in the network namespace of the calling thread.
///
/// # Errors
/// When the kernel does not list them.
pub fn own_addresses() -> Result<HashSet<IpAddr>, KernelError> {
    let all = getifaddrs()
        .map_err(|error| KernelError::from_io("listing the addresses of this host", &error.into()))?;
    let addresses = all.filter_map(|interface| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    });
    Ok(addresses.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_its_loopback_address() {
        let all = own_addresses().unwrap();
        assert!(all.contains(&IpAddr::from([127, 0, 0, 1])) && !all.contains(&IpAddr::from([192, 0, 2, 1])));
    }
}
