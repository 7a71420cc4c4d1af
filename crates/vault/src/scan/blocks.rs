//! Private keys: PEM, OpenSSH's and PuTTY's form, and those in a kubeconfig.

use super::finding::{Hit, Kind};
use super::lines::Lines;
use regex::Regex;
use std::sync::LazyLock;

static PEM: LazyLock<Regex> = LazyLock::new(|| {
    // Without content it is only a text that speaks of keys. `ENCRYPTED PRIVATE KEY` is told by its first line, older forms by
    // `Proc-Type`, which is no base64.
    Regex::new(r"-----BEGIN (?:(?:RSA|EC|DSA|OPENSSH|ED25519) )?PRIVATE KEY-----(?:\\[nr]|\s|[|'\x22#/+,>])*[A-Za-z0-9+/=]{40}")
        .expect("it is fixed")
});

static KUBECONFIG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"client-key-data[\x22']?:\s*[\x22']?([A-Za-z0-9+/=]{40,})").expect("it is fixed"));

const PUTTY: &str = "PuTTY-User-Key-File-";

pub(super) fn hits(text: &str) -> Vec<Hit> {
    let pem = PEM.find_iter(text).map(|found| Hit::new(Kind::PrivateKey, found.range(), "a private key"));
    let kubeconfig = KUBECONFIG.captures_iter(text).filter_map(|found| found.get(1));
    let kubeconfig =
        kubeconfig.map(|key| Hit::new(Kind::PrivateKey, key.range(), "the private key of a kubeconfig's user"));
    pem.chain(kubeconfig).chain(putty(text)).collect()
}

fn putty(text: &str) -> Option<Hit> {
    let is_plain = || Lines::new(text).get(1).trim() == "Encryption: none";
    (text.starts_with(PUTTY) && is_plain()).then(|| Hit::new(Kind::PrivateKey, 0..PUTTY.len(), "a private key"))
}
