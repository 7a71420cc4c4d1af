//! Who is meant in arguments and messages.

use crate::{Become, BecomeMethod, Ssh, Transport};

/// The machine and how messages call it.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The inventory's name.
    pub host: String,
    pub transport: Transport,
}

impl Destination {
    /// What stands behind `ssh` in a hint: `-p 2222 -i key pi@192.168.1.10`.
    pub fn as_typed(&self) -> String {
        match &self.transport {
            Transport::Local => "localhost".into(),
            Transport::Ssh(ssh) => {
                let mut words = Vec::new();
                words.extend(ssh.port.map(|port| format!("-p {port}")));
                words.extend(ssh.private_key.as_ref().map(|key| format!("-i {key}")));
                words.push(with_user(ssh));
                words.join(" ")
            }
        }
    }

    /// The login user in a message.
    pub fn user(&self) -> String {
        match &self.transport {
            Transport::Ssh(Ssh { user: Some(user), .. }) => format!("`{user}`"),
            Transport::Ssh(_) => "the user of your ssh configuration".into(),
            Transport::Local => std::env::var("USER").map_or("this user".into(), |user| format!("`{user}`")),
        }
    }

    /// The login user's name, where a hint needs one.
    pub fn user_name(&self) -> String {
        match &self.transport {
            Transport::Ssh(ssh) => ssh.user.clone(),
            Transport::Local => std::env::var("USER").ok(),
        }
        .unwrap_or_else(|| "USER".into())
    }
}

fn with_user(ssh: &Ssh) -> String {
    match &ssh.user {
        Some(user) => format!("{user}@{}", ssh.host),
        None => ssh.host.clone(),
    }
}

/// The method as it is called on the machine.
pub(crate) fn program(r#become: &Become) -> &'static str {
    match r#become.method {
        BecomeMethod::Sudo => "sudo",
        BecomeMethod::Su => "su",
    }
}
