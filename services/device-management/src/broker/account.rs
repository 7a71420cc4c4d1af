//! What a device's account at the broker should be, and the commands that make it so. Nothing here talks to anybody.

use super::command::{Acl, Command, DefaultAccess, ListedClient, RoleName};
use service::{DeviceId, Secret, TopicPrefix};
use uuid::Uuid;

/// Roles of ours begin so; everything else at the broker belongs to somebody else and is left alone.
const ROLE: &str = "device:";

/// The role of the service that reads what devices send.
pub(crate) const INGESTION_ROLE: &str = "data-ingestion";

/// What the account of a device should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It may connect, with this credential.
    Open(Uuid),
    /// It may not connect, and is cut off if it is.
    Closed,
    /// There is none.
    Absent,
}

impl Wanted {
    /// By the device's state and its credential that is not revoked.
    pub(crate) fn of(state: &str, credential: Option<Uuid>) -> Self {
        match (state, credential) {
            ("decommissioned", _) => Self::Absent,
            ("active" | "maintenance", Some(credential)) => Self::Open(credential),
            _ => Self::Closed,
        }
    }
}

/// The name of a device's role. The plugin does not substitute `%u`, so each device has one.
pub(crate) fn role_name(device: &str) -> String {
    format!("{ROLE}{device}")
}

/// The device that a role of ours belongs to.
pub(crate) fn device_of(role: &str) -> Option<&str> {
    role.strip_prefix(ROLE)
}

/// Which credential the account's password is, kept in its description: the plugin does not give passwords out.
pub(crate) fn description(credential: Uuid) -> String {
    format!("credential {credential}")
}

/// The credential of a description.
pub(crate) fn credential_of(description: &str) -> Option<Uuid> {
    description.strip_prefix("credential ")?.parse().ok()
}

/// Whether we made the account for a device: it has the role named after it, or our description when somebody took the role
/// away. Any other account of the same name is somebody else's, and is left alone.
pub(crate) fn is_ours(client: &ListedClient) -> bool {
    has_role(client) || client.textdescription.as_deref().is_some_and(|text| credential_of(text).is_some())
}

/// Whether it has the role named after it.
pub(crate) fn has_role(client: &ListedClient) -> bool {
    client.roles.iter().any(|role| device_of(&role.rolename) == Some(&client.username))
}

/// Exactly a device's own topics, sorted. Few rules: Mosquitto 2.0 writes its whole store anew at each command, and rules are
/// most of it. Below its `devices/<id>/` only ingestion sends, and only receipts, so that one level is as good as two names.
pub(crate) fn rules(prefix: &TopicPrefix, device: &DeviceId) -> Vec<Acl> {
    let topics = prefix.device(device);
    let mut rules = vec![
        Acl::allow("publishClientSend", topics.up()),
        Acl::allow("publishClientReceive", topics.down()),
        Acl::allow("subscribePattern", topics.down()),
    ];
    rules.sort();
    rules
}

/// What ingestion needs: to hear all devices, alone or shared (`$share/…` needs a rule of its own), and to send receipts.
pub(crate) fn ingestion_rules(prefix: &TopicPrefix) -> Vec<Acl> {
    let everything = prefix.everything_up();
    let mut rules = vec![
        Acl::allow("publishClientReceive", everything.clone()),
        Acl::allow("publishClientSend", format!("{}/devices/+/receipts", prefix.as_str())),
        Acl::allow("subscribePattern", format!("$share/+/{everything}")),
        Acl::allow("subscribePattern", everything),
    ];
    rules.sort();
    rules
}

/// Nothing is allowed that no rule allows. Receiving is allowed by the plugin's own default: a subscription that outlives its
/// rule would go on hearing.
pub(crate) fn defaults() -> Vec<DefaultAccess> {
    let deny = |acltype| DefaultAccess { acltype, allow: false };
    let mut acls = ["publishClientSend", "publishClientReceive", "subscribe"].map(deny).to_vec();
    acls.push(DefaultAccess { acltype: "unsubscribe", allow: true });
    acls
}

/// Role and account for a device that the broker does not know yet.
pub(crate) fn create(
    prefix: &TopicPrefix,
    device: &DeviceId,
    credential: Uuid,
    key: &Secret<String>,
    bind: bool,
) -> [Command; 2] {
    let role = role_name(device.as_str());
    [
        Command::CreateRole { rolename: role.clone(), acls: rules(prefix, device) },
        Command::CreateClient {
            username: device.to_string(),
            password: key.clone().into(),
            clientid: bind.then(|| device.to_string()),
            textdescription: description(credential),
            roles: vec![RoleName { rolename: role }],
        },
    ]
}

/// The same for one that exists. It is closed in between: whoever is connected with the old key is cut off.
pub(crate) fn replace(
    prefix: &TopicPrefix,
    device: &DeviceId,
    credential: Uuid,
    key: &Secret<String>,
    bind: bool,
) -> [Command; 4] {
    let (role, username) = (role_name(device.as_str()), device.to_string());
    [
        Command::DisableClient { username: username.clone() },
        Command::ModifyRole { rolename: role.clone(), acls: rules(prefix, device) },
        Command::ModifyClient {
            username: username.clone(),
            password: key.clone().into(),
            clientid: bind.then(|| username.clone()),
            textdescription: description(credential),
            roles: vec![RoleName { rolename: role }],
        },
        Command::EnableClient { username },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::config::Setting;

    #[test]
    fn a_device_has_its_own_topics_and_no_others() {
        let prefix = TopicPrefix::parse("neurobuild").unwrap();
        let rules = rules(&prefix, &"ESP32-1".parse().unwrap());
        let texts: Vec<String> = rules.iter().map(|rule| format!("{} {}", rule.acltype, rule.topic)).collect();
        assert_eq!(
            texts,
            [
                "publishClientReceive neurobuild/devices/ESP32-1/+",
                "publishClientSend neurobuild/sensors/ESP32-1/+",
                "subscribePattern neurobuild/devices/ESP32-1/+",
            ]
        );
        assert!(rules.iter().all(|rule| rule.allow));
    }

    #[test]
    fn states_decide() {
        let credential = Some(Uuid::nil());
        assert_eq!(Wanted::of("active", credential), Wanted::Open(Uuid::nil()));
        assert_eq!(Wanted::of("maintenance", credential), Wanted::Open(Uuid::nil()));
        assert_eq!(Wanted::of("active", None), Wanted::Closed);
        assert_eq!(Wanted::of("suspended", credential), Wanted::Closed);
        assert_eq!(Wanted::of("decommissioned", credential), Wanted::Absent);
    }

    #[test]
    fn descriptions_come_back() {
        let credential = Uuid::new_v4();
        assert_eq!(credential_of(&description(credential)), Some(credential));
        assert_eq!(device_of(&role_name("a-b")), Some("a-b"));
        assert_eq!(device_of("admin"), None);
    }
}
