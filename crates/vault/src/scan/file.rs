//! What a file's name says of it.

use super::finding::{Hit, Kind};
use super::kind::{file_name, is_example};

/// What other programs that encrypt files begin with.
const OTHERS: [&str; 4] = ["Salted__", "age-encryption.org/", "-----BEGIN AGE ENCRYPTED", "-----BEGIN PGP MESSAGE"];

/// A plain `cfg.enc`, or a file with a vault password.
pub(super) fn hits(path: &str, text: &str) -> Vec<Hit> {
    let name = file_name(path).to_lowercase();
    let whole = 0..text.len().min(1);
    if name.ends_with(".enc") && !OTHERS.iter().any(|other| text.starts_with(other)) && !is_marked(text) {
        return vec![Hit::new(Kind::NotEncrypted, whole, "a file that should be encrypted and is not")];
    }
    if is_password_file(&name, text) {
        return vec![Hit::new(Kind::PasswordFile, whole, "a file with a vault password")];
    }
    Vec::new()
}

/// sops keeps its remarks in the file.
fn is_marked(text: &str) -> bool {
    text.lines().any(|line| matches!(line.trim_start(), "sops:" | "\"sops\": {"))
}

/// One line under a name such as `.vault_pass` or `vault-password.txt`. A program that prints the password tells nothing.
fn is_password_file(name: &str, text: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.strip_suffix("txt").unwrap_or(&letters);
    let is_named = ["vaultpass", "vaultpassword", "vaultpasswordfile", "vaultpw"].contains(&letters);
    let is_program = text.starts_with("#!");
    is_named && !is_example(name) && !is_program && !text.trim().is_empty() && text.trim().lines().count() == 1
}
