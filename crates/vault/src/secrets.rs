//! The passwords of a run, in order, each with its label: which of them decrypts, and which encrypts (ansible-core 2.19,
//! `VaultLib.decrypt_and_get_vault_id`, `match_encrypt_secret`, `VaultCLI.run`).

use crate::header::check_label;
use crate::source::{Ask, Purpose, Source};
use crate::{DEFAULT_LABEL, Envelope, Error, Password, Plaintext};

/// Passwords with labels, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    all: Vec<(String, Password)>,
    only_matching: bool,
}

/// What was decrypted, and how.
#[derive(Debug)]
pub struct Decrypted<'a> {
    /// The content.
    pub plaintext: Plaintext,
    /// The label of the password that fits.
    pub label: &'a str,
    /// The password that fits: with it a file is encrypted again.
    pub password: &'a Password,
    /// The label in the header, which stays when a file is encrypted again; not always that of the password.
    pub header_label: Option<String>,
}

impl Secrets {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of all sources, in their order. What a file or program does not give is left out as long as there is another
    /// password, as with Ansible; the second value says why.
    ///
    /// # Errors
    /// A question is not answered, or no source gives a password and one fails.
    pub fn load(sources: &[Source], purpose: Purpose, ask: &mut Ask<'_>) -> Result<(Self, Vec<Error>), Error> {
        let mut secrets = Self::new();
        let mut failed = Vec::new();
        for source in sources {
            match source.load(&secrets, purpose, ask) {
                Ok(password) => secrets.add(source.label(), password)?,
                Err(error) if source.asks() => return Err(error),
                Err(error) => failed.push(error),
            }
        }
        match failed.pop() {
            Some(last) if secrets.is_empty() => Err(last),
            last => {
                failed.extend(last);
                Ok((secrets, failed))
            }
        }
    }

    /// Adds one at the end. Several may have the same label.
    ///
    /// # Errors
    /// The label can't stand in a header.
    pub fn add(&mut self, label: &str, password: Password) -> Result<(), Error> {
        check_label(label)?;
        let label = if label.is_empty() { DEFAULT_LABEL } else { label };
        self.all.push((label.to_owned(), password));
        Ok(())
    }

    /// Tries only passwords with the label of the data (`ANSIBLE_VAULT_ID_MATCH`), `default` when it has none.
    #[must_use]
    pub fn only_matching(self, only_matching: bool) -> Self {
        Self { only_matching, ..self }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Labels and passwords in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Password)> {
        self.all.iter().map(|(label, password)| (label.as_str(), password))
    }

    /// The labels in order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(label, _)| label.as_str())
    }

    /// Decrypts with the first password that fits: those with the label of the data first, then all others in order.
    ///
    /// # Errors
    /// The data is not encrypted or damaged, there is no password, or none fits.
    pub fn decrypt(&self, data: &[u8]) -> Result<Decrypted<'_>, Error> {
        self.open(&Envelope::parse(data)?)
    }

    /// Decrypts what was read before.
    ///
    /// # Errors
    /// There is no password, or none fits.
    pub fn open(&self, envelope: &Envelope) -> Result<Decrypted<'_>, Error> {
        self.open_in(crate::cipher::ROUNDS, envelope)
    }

    pub(crate) fn open_in(&self, rounds: u32, envelope: &Envelope) -> Result<Decrypted<'_>, Error> {
        if self.is_empty() {
            return Err(Error::NoPassword);
        }
        let wanted = envelope.label().unwrap_or(DEFAULT_LABEL);
        let (matching, others): (Vec<_>, Vec<_>) = self.all.iter().partition(|(label, _)| label == wanted);
        let others = if self.only_matching { Vec::new() } else { others };
        let mut tried: Vec<String> = Vec::new();
        for (label, password) in matching.into_iter().chain(others) {
            if let Some(plaintext) = envelope.decrypt_in(rounds, password)? {
                let header_label = envelope.label().map(str::to_owned);
                return Ok(Decrypted { plaintext, label, password, header_label });
            }
            tried.push(label.clone());
        }
        Err(Error::WrongPassword {
            tried,
            label: envelope.label().map(str::to_owned),
            only_matching: self.only_matching,
        })
    }

    /// The password to encrypt with: the first with the `wanted` label, or the only one.
    ///
    /// # Errors
    /// There is none with that label, or there are several and none is chosen.
    pub fn encrypting(&self, wanted: Option<&str>) -> Result<(&str, &Password), Error> {
        let labels = || self.labels().map(str::to_owned).collect();
        let found = match (wanted, self.all.as_slice()) {
            (_, []) => return Err(Error::NoPassword),
            (Some(wanted), all) => all
                .iter()
                .find(|(label, _)| label == wanted)
                .ok_or_else(|| Error::UnknownLabel { wanted: wanted.to_owned(), known: labels() })?,
            (None, [one]) => one,
            (None, _) => return Err(Error::Ambiguous { labels: labels() }),
        };
        Ok((&found.0, &found.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encrypt;
    use diagnostic::Diagnose;
    use rstest::rstest;

    fn password(text: &str) -> Password {
        Password::new(text.into()).unwrap()
    }

    fn secrets(labels: &[&str]) -> Secrets {
        let mut secrets = Secrets::new();
        labels.iter().for_each(|label| secrets.add(label, password(&format!("of {label}"))).unwrap());
        secrets
    }

    fn data(with: &str, label: Option<&str>) -> String {
        encrypt(b"text", &password(&format!("of {with}")), label).unwrap()
    }

    #[rstest]
    #[case(&["dev", "prod"], "prod", Some("prod"), "prod")]
    #[case(&["dev", "prod"], "dev", Some("prod"), "dev")]
    #[case(&["dev", "default"], "dev", None, "dev")]
    fn the_label_is_a_hint(
        #[case] known: &[&str],
        #[case] with: &str,
        #[case] label: Option<&str>,
        #[case] used: &str,
    ) {
        let secrets = secrets(known);
        let decrypted = secrets.decrypt(data(with, label).as_bytes()).unwrap();
        assert_eq!((decrypted.label, &*decrypted.plaintext), (used, b"text".as_slice()));
        assert_eq!(decrypted.header_label.as_deref(), label);
    }

    #[test]
    fn a_matching_label_comes_first() {
        let mut secrets = Secrets::new();
        secrets.add("dev", password("of prod")).unwrap();
        secrets.add("prod", password("of prod")).unwrap();
        assert_eq!(secrets.decrypt(data("prod", Some("prod")).as_bytes()).unwrap().label, "prod");
        assert_eq!(secrets.decrypt(data("prod", Some("other")).as_bytes()).unwrap().label, "dev");
    }

    #[rstest]
    #[case(&["dev", "prod"], Some("test"), "no password of the vault ids `dev`, `prod` fits, or the data was changed", "the data was encrypted for the vault id `test`: pass `--vault-id test@prompt`")]
    #[case(&["dev"], Some("test"), "the password of the vault id `dev` is wrong, or the data was changed", "the data was encrypted for the vault id `test`: pass `--vault-id test@prompt`")]
    #[case(&["dev", "prod"], Some("prod"), "no password of the vault ids `prod`, `dev` fits, or the data was changed", "")]
    #[case(&["default"], None, "the password of the vault id `default` is wrong, or the data was changed", "")]
    #[case(&[], None, "there is no vault password", "pass `--vault-password-file FILE` or `--ask-vault-pass`")]
    fn what_was_tried_is_told(
        #[case] known: &[&str],
        #[case] label: Option<&str>,
        #[case] message: &str,
        #[case] hint: &str,
    ) {
        let secrets = secrets(known);
        let error = secrets.decrypt(data("nobody", label).as_bytes()).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().unwrap_or_default().as_str()), (message, hint));
    }

    #[test]
    fn only_matching_labels_are_tried_when_so_set() {
        let secrets = secrets(&["dev", "prod"]).only_matching(true);
        assert_eq!(secrets.decrypt(data("prod", Some("prod")).as_bytes()).unwrap().label, "prod");
        let error = secrets.decrypt(data("dev", Some("test")).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "there is no password for the vault id `test`");
        let error = secrets.decrypt(data("dev", None).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "there is no password for the vault id `default`");
        let hint = "pass `--vault-id default@prompt`, or unset `ANSIBLE_VAULT_ID_MATCH` to try the others";
        assert_eq!(error.hint().unwrap(), hint);
    }

    #[rstest]
    #[case(&["dev"], None, "dev")]
    #[case(&["dev", "prod"], Some("prod"), "prod")]
    fn the_password_to_encrypt_with(#[case] known: &[&str], #[case] wanted: Option<&str>, #[case] expected: &str) {
        assert_eq!(secrets(known).encrypting(wanted).unwrap().0, expected);
    }

    #[rstest]
    #[case(&[], None, "there is no vault password")]
    #[case(&["dev", "prod"], None, "which of the vault ids `dev`, `prod` to encrypt with is not said")]
    #[case(&["dev", "dev"], None, "which of the vault ids `dev`, `dev` to encrypt with is not said")]
    #[case(&["dev"], Some("prod"), "there is no password for the vault id `prod`")]
    fn none_to_encrypt_with(#[case] known: &[&str], #[case] wanted: Option<&str>, #[case] expected: &str) {
        let error = secrets(known).encrypting(wanted).map(|(label, _)| label.to_owned()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().is_some());
    }

    fn no_terminal(_: &str) -> Result<Password, Error> {
        Err(Error::unanswered(diagnostic::Mistake::new("there is no terminal").hinted("pass a file")))
    }

    #[test]
    fn a_missing_file_counts_only_when_it_is_all_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).into_os_string().into_string().unwrap();
        std::fs::write(path("pass"), "one\n").unwrap();
        let (none, pass) = (Source::file(&path("none")), Source::file(&path("pass")));
        let (secrets, failed) = Secrets::load(&[none.clone(), pass], Purpose::Read, &mut no_terminal).unwrap();
        assert_eq!((secrets.labels().collect::<Vec<_>>(), failed.len()), (vec!["default"], 1));
        assert!(matches!(Secrets::load(&[none], Purpose::Read, &mut no_terminal), Err(Error::PasswordFile { .. })));
        assert!(Secrets::load(&[], Purpose::Read, &mut no_terminal).unwrap().0.is_empty());
    }

    #[test]
    fn an_unanswered_question_ends_it() {
        let error = Secrets::load(&[Source::ask()], Purpose::Read, &mut no_terminal).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.hint().as_deref()),
            ("there is no terminal", Some("pass a file"))
        );
    }

    #[test]
    fn no_password_is_shown() {
        let secrets = secrets(&["dev"]);
        let text = data("dev", None);
        let shown = format!("{secrets:?} {:?}", secrets.decrypt(text.as_bytes()).unwrap());
        assert!(
            shown.contains("dev") && !shown.contains("of dev") && !shown.contains("116") && !shown.contains("\"text"),
            "{shown}"
        );
    }
}
