//! The plugin's commands and answers.

use crate::model::Told;
use serde::{Deserialize, Serialize};

/// A command of the plugin's API.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "command", rename_all = "camelCase", rename_all_fields = "lowercase")]
pub(crate) enum Command {
    SetDefaultACLAccess {
        acls: Vec<DefaultAccess>,
    },
    GetDefaultACLAccess,
    GetRole {
        rolename: String,
    },
    CreateRole {
        rolename: String,
        acls: Vec<Acl>,
    },
    ModifyRole {
        rolename: String,
        acls: Vec<Acl>,
    },
    DeleteRole {
        rolename: String,
    },
    CreateClient {
        username: String,
        password: Told,
        #[serde(skip_serializing_if = "Option::is_none")]
        clientid: Option<String>,
        textdescription: String,
        roles: Vec<RoleName>,
    },
    ModifyClient {
        username: String,
        password: Told,
        #[serde(skip_serializing_if = "Option::is_none")]
        clientid: Option<String>,
        textdescription: String,
        roles: Vec<RoleName>,
    },
    EnableClient {
        username: String,
    },
    DisableClient {
        username: String,
    },
    DeleteClient {
        username: String,
    },
    GetClient {
        username: String,
    },
    AddClientRole {
        username: String,
        rolename: String,
    },
    ListClients {
        verbose: bool,
        count: i64,
        offset: i64,
    },
    ListRoles {
        verbose: bool,
        count: i64,
        offset: i64,
    },
}

impl Command {
    /// The account or role that it changes.
    pub(crate) fn about(&self) -> &str {
        match self {
            Self::CreateRole { rolename, .. } | Self::ModifyRole { rolename, .. } | Self::DeleteRole { rolename } => {
                rolename
            }
            Self::CreateClient { username, .. }
            | Self::ModifyClient { username, .. }
            | Self::EnableClient { username }
            | Self::DisableClient { username }
            | Self::DeleteClient { username }
            | Self::GetClient { username }
            | Self::AddClientRole { username, .. } => username,
            _ => "",
        }
    }
}

/// A command as it is sent. The plugin gives the mark back with the answer, by which answers and questions are matched.
#[derive(Serialize)]
pub(crate) struct Marked<'a> {
    #[serde(flatten)]
    pub(crate) command: &'a Command,
    #[serde(rename = "correlationData")]
    pub(crate) mark: &'a str,
}

/// All commands of a message.
#[derive(Serialize)]
pub(crate) struct Batch<'a> {
    pub(crate) commands: Vec<Marked<'a>>,
}

/// What is allowed where no rule says anything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct DefaultAccess {
    pub(crate) acltype: &'static str,
    pub(crate) allow: bool,
}

/// One rule of a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Acl {
    pub(crate) acltype: String,
    pub(crate) topic: String,
    #[serde(default)]
    pub(crate) priority: i64,
    pub(crate) allow: bool,
}

impl Acl {
    pub(crate) fn allow(acltype: &str, topic: String) -> Self {
        Self { acltype: acltype.to_owned(), topic, priority: 0, allow: true }
    }
}

/// A role of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoleName {
    pub(crate) rolename: String,
}

/// The answer to one command. Its text is all that tells errors apart.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Answer {
    /// That of the command.
    #[serde(default, rename = "correlationData")]
    pub(crate) mark: Option<String>,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) data: serde_json::Value,
}

impl Answer {
    /// `Client already exists`, `Role already exists` (plugin, 2.0).
    pub(crate) fn exists(&self) -> bool {
        self.error.as_deref().is_some_and(|error| error.contains("already exists"))
    }

    /// `Client not found`, `Role not found`.
    pub(crate) fn missing(&self) -> bool {
        self.error.as_deref().is_some_and(|error| error.contains("not found"))
    }

    /// The role that `getRole` found.
    pub(crate) fn role(&self) -> Option<ListedRole> {
        serde_json::from_value(self.data.get("role")?.clone()).ok()
    }

    /// Whether `getDefaultACLAccess` found these.
    pub(crate) fn has_defaults(&self, wanted: &[DefaultAccess]) -> bool {
        let found: Vec<(&str, bool)> = self.data["acls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|acl| Some((acl["acltype"].as_str()?, acl["allow"].as_bool()?)))
            .collect();
        wanted.iter().all(|wanted| found.contains(&(wanted.acltype, wanted.allow)))
    }

    /// The account that `getClient` found.
    pub(crate) fn client(&self) -> Option<ListedClient> {
        serde_json::from_value(self.data.get("client")?.clone()).ok()
    }
}

/// All answers to one message.
#[derive(Debug, Deserialize)]
pub(crate) struct Answers {
    pub(crate) responses: Vec<Answer>,
}

/// An account as the plugin lists it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ListedClient {
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) textdescription: Option<String>,
    #[serde(default)]
    pub(crate) disabled: bool,
    #[serde(default)]
    pub(crate) roles: Vec<RoleName>,
}

/// A role as the plugin lists it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ListedRole {
    pub(crate) rolename: String,
    #[serde(default)]
    pub(crate) acls: Vec<Acl>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_compared_by_their_kind() {
        let answer = |text: &str| serde_json::from_str::<Answer>(text).unwrap();
        let wanted = [
            DefaultAccess { acltype: "subscribe", allow: false },
            DefaultAccess { acltype: "unsubscribe", allow: true },
        ];
        let both =
            r#"{"data":{"acls":[{"acltype":"unsubscribe","allow":true},{"acltype":"subscribe","allow":false}]}}"#;
        assert!(answer(both).has_defaults(&wanted));
        assert!(!answer(r#"{"data":{"acls":[{"acltype":"subscribe","allow":false}]}}"#).has_defaults(&wanted));
        assert!(!answer(&both.replace("false", "true")).has_defaults(&wanted));
        assert!(!answer(r#"{"error":"Unknown command"}"#).has_defaults(&wanted));
    }

    #[test]
    fn commands_are_spelled_as_the_plugin_wants() {
        let role = RoleName { rolename: "device:a".into() };
        let commands = [
            Command::SetDefaultACLAccess { acls: vec![DefaultAccess { acltype: "subscribe", allow: false }] },
            Command::CreateClient {
                username: "a".into(),
                password: service::Secret::new("b".to_owned()).into(),
                clientid: None,
                textdescription: "c".into(),
                roles: vec![role],
            },
            Command::ListClients { verbose: true, count: 1, offset: 0 },
            Command::GetDefaultACLAccess,
        ];
        let marked: Vec<Marked<'_>> = commands.iter().map(|command| Marked { command, mark: "7" }).collect();
        assert_eq!(
            serde_json::to_string(&marked).unwrap(),
            concat!(
                r#"[{"command":"setDefaultACLAccess","acls":[{"acltype":"subscribe","allow":false}],"correlationData":"7"},"#,
                r#"{"command":"createClient","username":"a","password":"b","textdescription":"c","#,
                r#""roles":[{"rolename":"device:a"}],"correlationData":"7"},"#,
                r#"{"command":"listClients","verbose":true,"count":1,"offset":0,"correlationData":"7"},"#,
                r#"{"command":"getDefaultACLAccess","correlationData":"7"}]"#,
            )
        );
        assert!(!format!("{commands:?}").contains("\"b\""), "a password shows: {commands:?}");
    }
}
