//! `linkbeat_interfaces` and `linkbeat_use_polling`: interfaces that are asked for their link.

use std::collections::HashSet;

use crate::config::{
    Config,
    resolve::{Context, instance::no_interface},
    settings::LinkbeatKind,
};

/// Has the interfaces asked that the top level names, or all, and those of the instances that want it. One that is not
/// there and may not come is refused.
pub(in crate::config::resolve) fn linkbeat(config: &mut Config, context: &mut Context<'_>) {
    for line in &config.process.linkbeat_interfaces {
        if !context.may_name_interface(&line.interface) {
            context.add(no_interface(&line.interface, &line.at));
        }
    }
    let wanted = config.instances.iter().filter(|instance| instance.settings.linkbeat_use_polling);
    let wanted: HashSet<&str> = wanted.map(|instance| instance.interface.as_str()).collect();
    for interface in &mut config.interfaces {
        let own = wanted.contains(interface.name.as_str()).then_some(LinkbeatKind::Best);
        interface.linkbeat = config.process.linkbeat(&interface.name).or(own);
    }
}
