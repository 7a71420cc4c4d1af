//! Which names stand for a secret itself, and not for where one is kept.

/// Whether a value of this name would be a secret: `password`, `adminPassword`, `api_key`; but not `existingSecret`, `passwordKey`, nor
/// `secret` below `tls`, which names one in the cluster.
pub(crate) fn names_a_secret(parent: &str, name: &str) -> bool {
    if name == "secret" && parent.to_lowercase().ends_with("tls") {
        return false;
    }
    let words = words(name);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // Names of Secrets and of classes of them.
        ["existing" | "tls" | "pull" | "image" | "config" | "automount", ..] => false,
        [.., "password" | "passwd" | "passphrase" | "token" | "credential" | "credentials" | "apikey"] => true,
        [.., "secret"] => true,
        [.., "api" | "private" | "access" | "signing" | "encryption" | "license", "key"] => true,
        _ => false,
    }
}

/// `adminPassword`, `admin_password` and `ADMIN-PASSWORD` are two words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = character.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::names_a_secret;
    use rstest::rstest;

    #[rstest]
    #[case("password", true)]
    #[case("rootPassword", true)]
    #[case("ADMIN_PASSWORD", true)]
    #[case("apiKey", true)]
    #[case("authToken", true)]
    #[case("clientSecret", true)]
    #[case("existingSecret", false)]
    #[case("tlsSecret", false)]
    #[case("existingSecretKey", false)]
    #[case("passwordKey", false)]
    #[case("automountServiceAccountToken", false)]
    #[case("tokens", false)]
    #[case("key", false)]
    #[case("", false)]
    fn names_of_secrets(#[case] name: &str, #[case] secret: bool) {
        assert_eq!(names_a_secret("server", name), secret);
    }

    #[test]
    fn a_certificate_lies_in_a_secret() {
        assert!(names_a_secret("auth", "secret") && !names_a_secret("tls", "secret"));
    }
}
