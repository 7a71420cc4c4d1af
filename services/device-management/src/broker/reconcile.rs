//! Comparing all accounts with what they should be, and what to do about each difference. Nothing here talks to anybody.

use super::account::{Wanted, credential_of, device_of, has_role, is_ours, role_name, rules};
use super::command::{Acl, Command, ListedClient, ListedRole};
use service::{DeviceId, TopicPrefix};
use std::collections::{HashMap, HashSet};

/// What the broker has.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) clients: Vec<ListedClient>,
    pub(crate) roles: Vec<ListedRole>,
}

/// What is to be done.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Commands that need no key.
    pub(crate) commands: Vec<Command>,
    /// Devices whose account is gone or has another key: only a new key helps.
    pub(crate) lost: Vec<String>,
    /// Devices whose account is as it should be, or will be after the commands.
    pub(crate) sound: HashSet<String>,
}

/// Plans the way from `found` to `wanted`. Devices in `wanted` are all that exist but those whose change is on its way.
/// `known` says whether a device exists at all: accounts of ours without a device go.
pub(crate) fn plan(
    found: &Found,
    wanted: &HashMap<DeviceId, Wanted>,
    known: impl Fn(&str) -> bool,
    prefix: &TopicPrefix,
) -> Plan {
    let clients: HashMap<&str, &ListedClient> =
        found.clients.iter().map(|client| (client.username.as_str(), client)).collect();
    let roles: HashMap<&str, &ListedRole> = found.roles.iter().map(|role| (role.rolename.as_str(), role)).collect();
    let mut plan = Plan::default();
    let mut devices: Vec<_> = wanted.iter().collect();
    devices.sort_by_key(|(device, _)| *device);
    for (device, wanted) in devices {
        let client = clients.get(device.as_str()).copied().filter(|client| is_ours(client));
        let role = roles.get(role_name(device.as_str()).as_str()).copied();
        plan.device(device, *wanted, client, role, prefix);
    }
    for client in found.clients.iter().filter(|client| is_ours(client) && !known(&client.username)) {
        plan.commands.push(Command::DeleteClient { username: client.username.clone() });
    }
    for role in &found.roles {
        if device_of(&role.rolename).is_some_and(|device| !known(device)) {
            plan.commands.push(Command::DeleteRole { rolename: role.rolename.clone() });
        }
    }
    plan
}

impl Plan {
    fn device(
        &mut self,
        device: &DeviceId,
        wanted: Wanted,
        client: Option<&ListedClient>,
        role: Option<&ListedRole>,
        prefix: &TopicPrefix,
    ) {
        let username = device.to_string();
        match (wanted, client) {
            (Wanted::Absent, client) => {
                if client.is_some() {
                    self.commands.push(Command::DeleteClient { username });
                }
                if role.is_some() {
                    self.commands.push(Command::DeleteRole { rolename: role_name(device.as_str()) });
                }
                return;
            }
            (Wanted::Closed, None) => return,
            (Wanted::Closed, Some(client)) => {
                if !client.disabled {
                    self.commands.push(Command::DisableClient { username });
                }
            }
            (Wanted::Open(_), None) => return self.lost.push(username),
            (Wanted::Open(credential), Some(client)) => {
                let described = client.textdescription.as_deref().and_then(credential_of);
                if described != Some(credential) {
                    // The account has a key that was rotated out (a store that was restored from a backup): nobody may use it.
                    if !client.disabled {
                        self.commands.push(Command::DisableClient { username: username.clone() });
                    }
                    return self.lost.push(username);
                }
                if client.disabled {
                    self.commands.push(Command::EnableClient { username: username.clone() });
                }
                self.sound.insert(username);
            }
        }
        self.role(device, role, prefix);
        if let Some(client) = client.filter(|client| !has_role(client)) {
            let (username, rolename) = (client.username.clone(), role_name(device.as_str()));
            self.commands.push(Command::AddClientRole { username, rolename });
        }
    }

    fn role(&mut self, device: &DeviceId, role: Option<&ListedRole>, prefix: &TopicPrefix) {
        let (rolename, acls) = (role_name(device.as_str()), rules(prefix, device));
        match role {
            Some(role) if same(&role.acls, &acls) => {}
            Some(_) => self.commands.push(Command::ModifyRole { rolename, acls }),
            None => self.commands.push(Command::CreateRole { rolename, acls }),
        }
    }
}

fn same(found: &[Acl], wanted: &[Acl]) -> bool {
    let mut found = found.to_vec();
    found.sort();
    found == wanted
}

#[cfg(test)]
mod tests {
    use super::super::account::description;
    use super::super::command::RoleName;
    use super::*;
    use service::config::Setting;
    use uuid::Uuid;

    fn prefix() -> TopicPrefix {
        TopicPrefix::parse("n").unwrap()
    }

    fn client(device: &str, credential: Uuid, disabled: bool) -> ListedClient {
        let roles = vec![RoleName { rolename: role_name(device) }];
        ListedClient { username: device.into(), textdescription: Some(description(credential)), disabled, roles }
    }

    fn role(device: &str) -> ListedRole {
        ListedRole { rolename: role_name(device), acls: rules(&prefix(), &device.parse().unwrap()) }
    }

    fn run(found: &Found, wanted: &[(&str, Wanted)]) -> Plan {
        let wanted: HashMap<DeviceId, Wanted> =
            wanted.iter().map(|(id, wanted)| (id.parse().unwrap(), *wanted)).collect();
        plan(found, &wanted, |id| wanted.contains_key(id), &prefix())
    }

    #[test]
    fn what_is_right_is_left_alone() {
        let key = Uuid::new_v4();
        let admin = ListedClient { username: "admin".into(), textdescription: None, disabled: false, roles: vec![] };
        let found = Found {
            clients: vec![client("dev-1", key, false), client("dev-2", key, true), admin],
            roles: vec![role("dev-1"), role("dev-2"), ListedRole { rolename: "admin".into(), acls: vec![] }],
        };
        let plan = run(&found, &[("dev-1", Wanted::Open(key)), ("dev-2", Wanted::Closed), ("dev-3", Wanted::Absent)]);
        assert_eq!((plan.commands, plan.lost), (vec![], Vec::<String>::new()));
    }

    #[test]
    fn a_revoked_device_is_closed_also_when_the_broker_came_back_from_a_backup() {
        let found = Found { clients: vec![client("dev-1", Uuid::new_v4(), false)], roles: vec![role("dev-1")] };
        let close = vec![Command::DisableClient { username: "dev-1".into() }];
        assert_eq!(run(&found, &[("dev-1", Wanted::Closed)]).commands, close);
        let other_key = run(&found, &[("dev-1", Wanted::Open(Uuid::new_v4()))]);
        assert_eq!((other_key.commands, other_key.lost), (close, vec!["dev-1".to_owned()]));
    }

    #[test]
    fn a_lost_store_means_new_keys() {
        let plan = run(&Found::default(), &[("dev-1", Wanted::Open(Uuid::new_v4())), ("dev-2", Wanted::Closed)]);
        assert_eq!((plan.commands, plan.lost), (vec![], vec!["dev-1".to_owned()]));
    }

    #[test]
    fn a_role_that_somebody_deleted_comes_back() {
        let key = Uuid::new_v4();
        let bare = ListedClient { roles: vec![], ..client("dev-1", key, false) };
        let plan = run(&Found { clients: vec![bare], roles: vec![] }, &[("dev-1", Wanted::Open(key))]);
        let (rolename, username) = (role_name("dev-1"), "dev-1".to_owned());
        let acls = rules(&prefix(), &"dev-1".parse().unwrap());
        let role = Command::CreateRole { rolename: rolename.clone(), acls };
        assert_eq!((plan.commands, plan.lost), (vec![role, Command::AddClientRole { username, rolename }], vec![]));
    }

    #[test]
    fn an_account_of_somebody_else_is_left_alone() {
        let foreign = ListedClient { username: "dev-1".into(), textdescription: None, disabled: false, roles: vec![] };
        let found = Found { clients: vec![foreign], roles: vec![] };
        for (wanted, lost) in [
            (Wanted::Closed, vec![]),
            (Wanted::Absent, vec![]),
            (Wanted::Open(Uuid::new_v4()), vec!["dev-1".to_owned()]),
        ] {
            let plan = run(&found, &[("dev-1", wanted)]);
            assert_eq!((plan.commands, plan.lost), (vec![], lost));
        }
    }

    #[test]
    fn foreign_rules_and_orphans_go() {
        let key = Uuid::new_v4();
        let mut tampered = role("dev-1");
        tampered.acls.push(Acl::allow("publishClientSend", "#".into()));
        let found = Found {
            clients: vec![client("dev-1", key, true), client("gone", key, false)],
            roles: vec![tampered, role("gone")],
        };
        let commands = run(&found, &[("dev-1", Wanted::Open(key))]).commands;
        assert_eq!(
            commands,
            [
                Command::EnableClient { username: "dev-1".into() },
                Command::ModifyRole { rolename: role_name("dev-1"), acls: rules(&prefix(), &"dev-1".parse().unwrap()) },
                Command::DeleteClient { username: "gone".into() },
                Command::DeleteRole { rolename: role_name("gone") },
            ]
        );
    }
}
