//! Which names stand for a secret itself, and not for where one is kept or how it is made.

/// What the last word of such a name ends with: also `rootpassword` and `PGPASSWORD` are names of passwords.
const ENDINGS: [&str; 9] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "credential", "credentials"];

/// More than one of them are as secret; `tokens` are rather counted, and `api_keys` have names of keys.
const PLURALS: [&str; 3] = ["passwords", "secrets", "passphrases"];

/// What makes a `…_key` one that nobody else should have. A bare `key` can be anything.
const KINDS_OF_KEYS: [&str; 8] = ["api", "private", "access", "secret", "signing", "encryption", "license", "master"];

/// Short forms, which mean something else when they stand alone.
const SHORT: [&str; 3] = ["pass", "pwd", "pw"];

/// Whether a value of this name would be a secret: `password`, `adminPassword`, `db.api_key`; but not `existingSecret`,
/// `passwordFile`, `tokenAlgorithm`, `imagePullSecret` (a Secret's name) or `max_token`. An item has its list's name: `passwords[0]`.
pub fn names_a_secret(name: &str) -> bool {
    let words = words(last(name));
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["existing" | "automount" | "max" | "min" | "num" | "count" | "has" | "is" | "no", ..] => false,
        // Names of Secrets.
        ["tls" | "pull" | "image" | "config", .., "secret"] => false,
        [.., kind, "key"] => KINDS_OF_KEYS.contains(kind),
        [_, .., word] if SHORT.contains(word) => true,
        [.., word] => ENDINGS.iter().any(|ending| word.ends_with(ending)),
        [] => false,
    }
}

/// Whether a person chose the value, so that it may be a word like any other.
pub(super) fn names_a_password(name: &str) -> bool {
    let words = words(last(name));
    let Some(last) = words.last() else { return false };
    SHORT.contains(&last.as_str()) || ENDINGS[..3].iter().any(|ending| last.ends_with(ending))
}

/// Whether Kubernetes has names of Secrets under such a key: `secret`, `authSecret`.
pub(super) fn may_name_an_object(name: &str) -> bool {
    let last = last(name);
    let last = last.strip_suffix('s').unwrap_or(last);
    last == "secret" || last.ends_with("Secret")
}

/// The last part of a path, without the numbers of items.
fn last(name: &str) -> &str {
    let mut last = name.rsplit('.').next().unwrap_or_default();
    while let Some((list, number)) = last.strip_suffix(']').and_then(|item| item.rsplit_once('['))
        && number.chars().all(|sign| sign.is_ascii_alphanumeric())
    {
        last = list;
    }
    last
}

/// `adminPassword`, `admin_password` and `ADMIN-PASSWORD` are two words, the last one in singular.
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
    if let Some(last) = words.last_mut().filter(|last| PLURALS.iter().any(|plural| last.ends_with(plural))) {
        last.pop();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("password", true)]
    #[case("rootPassword", true)]
    #[case("ADMIN_PASSWORD", true)]
    #[case("PGPASSWORD", true)]
    #[case("mypassword", true)]
    #[case("apiKey", true)]
    #[case("APIKEY", true)]
    #[case("db.api_key", true)]
    #[case("users[0].token", true)]
    #[case("AWS_SECRET_ACCESS_KEY", true)]
    #[case("authToken", true)]
    #[case("clientSecret", true)]
    #[case("ansible_become_pass", true)]
    #[case("db_pwd", true)]
    #[case("credentials", true)]
    #[case("passwords", true)]
    #[case("auth.passwords[0]", true)]
    #[case("passwords[n]", true)]
    #[case("grid[0][1].appSecrets[2][3]", true)]
    #[case("DB_PASSPHRASES", true)]
    #[case("imagePullSecrets", false)]
    #[case("existingSecrets[0]", false)]
    #[case("tokens[0]", false)]
    #[case("[0]", false)]
    #[case("existingSecret", false)]
    #[case("auth.existingSecret", false)]
    #[case("tlsSecret", false)]
    #[case("imagePullSecret", false)]
    #[case("existingSecretKey", false)]
    #[case("passwordKey", false)]
    #[case("passwordFile", false)]
    #[case("tokenAlgorithm", false)]
    #[case("secretName", false)]
    #[case("password_hash", false)]
    #[case("public_key", false)]
    #[case("automountServiceAccountToken", false)]
    #[case("maxToken", false)]
    #[case("tokens", false)]
    #[case("key", false)]
    #[case("pass", false)]
    #[case("bypass", false)]
    #[case("", false)]
    #[case("…", false)]
    fn names_of_secrets(#[case] name: &str, #[case] secret: bool) {
        assert_eq!(names_a_secret(name), secret);
    }
}
