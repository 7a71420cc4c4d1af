//! Where a password comes from: `label@source` of `--vault-id`, a file or program, or a question (ansible-core 2.19,
//! `CLI.setup_vault_secrets` and `get_file_vault_secret`).

use crate::header::check_label;
use crate::password::{is_line_end, is_python_space, trim};
use crate::{DEFAULT_LABEL, Error, Password, Secrets, is_encrypted, path, program};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// Asks the user for a password; is given the text of the question.
pub type Ask<'a> = dyn FnMut(&str) -> Result<Password, Error> + 'a;

/// What a password is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To read what there is: asked for once.
    Read,
    /// A new one: asked for twice.
    New,
}

/// What follows the label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `prompt`: a question that names the label.
    Prompt,
    /// `prompt_ask_vault_pass`, or `--ask-vault-pass`: a question without the label.
    AskVaultPass,
    /// A file that holds the password, or a program that prints it.
    Path(PathBuf),
}

/// Where a password comes from, and the label that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    label: Option<String>,
    origin: Origin,
}

impl Source {
    /// Reads `label@source`, or a source alone.
    ///
    /// # Errors
    /// The label can't stand in a header, or there is no source.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (label, source) = match text.split_once('@') {
            Some((label, source)) => (Some(label).filter(|label| !label.is_empty()), source),
            None => (None, text),
        };
        if let Some(label) = label {
            check_label(label)?;
        }
        let origin = match source {
            "" => return Err(Error::NoSource { text: text.to_owned() }),
            "prompt" => Origin::Prompt,
            "prompt_ask_vault_pass" => Origin::AskVaultPass,
            path => Origin::Path(path::expand(path, |name| std::env::var(name).ok())),
        };
        Ok(Self { label: label.map(str::to_owned), origin })
    }

    /// A file or program, as `--vault-password-file` names it; its label is `default`.
    pub fn file(path: &str) -> Self {
        Self { label: None, origin: Origin::Path(path::expand(path, |name| std::env::var(name).ok())) }
    }

    /// A question, as `--ask-vault-pass` has it; its label is `default`.
    pub fn ask() -> Self {
        Self { label: None, origin: Origin::AskVaultPass }
    }

    /// The label of the password.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(DEFAULT_LABEL)
    }

    /// What follows the label.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether somebody has to be asked.
    pub fn asks(&self) -> bool {
        matches!(self.origin, Origin::Prompt | Origin::AskVaultPass)
    }

    /// The password. A file may itself be encrypted with one of those that are `known`.
    ///
    /// # Errors
    /// The question is not answered, or the file or program gives no password.
    pub fn load(&self, known: &Secrets, purpose: Purpose, ask: &mut Ask<'_>) -> Result<Password, Error> {
        match &self.origin {
            Origin::Path(path) => load(path, self.label(), known),
            Origin::Prompt | Origin::AskVaultPass => {
                let (question, again) = self.questions(purpose);
                let password = ask(&question)?;
                match again {
                    Some(again) if ask(&again)? != password => Err(Error::Mismatch),
                    _ => Ok(password),
                }
            }
        }
    }

    /// The texts of Ansible's questions, which programs that answer them look for.
    fn questions(&self, purpose: Purpose) -> (String, Option<String>) {
        let label = self.label();
        match (&self.origin, purpose) {
            (Origin::AskVaultPass, Purpose::Read) => ("Vault password: ".to_owned(), None),
            (Origin::AskVaultPass, Purpose::New) => {
                ("New Vault password: ".to_owned(), Some("Confirm New Vault password: ".to_owned()))
            }
            (_, Purpose::Read) => (format!("Vault password ({label}): "), None),
            (_, Purpose::New) => {
                (format!("New vault password ({label}): "), Some(format!("Confirm new vault password ({label}): ")))
            }
        }
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

fn load(path: &Path, label: &str, known: &Secrets) -> Result<Password, Error> {
    let unreadable = |source| Error::PasswordFile { path: path.to_owned(), source };
    let data = path.metadata().map_err(unreadable)?;
    if data.is_dir() {
        return Err(Error::PasswordDirectory { path: path.to_owned() });
    }
    if data.permissions().mode() & 0o111 != 0 {
        return program::run(path, label);
    }
    let content = Zeroizing::new(std::fs::read(path).map_err(unreadable)?);
    held(&content, known).map_err(|error| Error::InPasswordFile { path: path.to_owned(), error: Box::new(error) })
}

/// The password that a file holds. White space around it does not count, as with Ansible.
fn held(content: &[u8], known: &Secrets) -> Result<Password, Error> {
    let content = trim(content, is_python_space);
    if is_encrypted(content) {
        let decrypted = known.decrypt(content)?;
        return Password::new(trim(&decrypted.plaintext, is_line_end).to_vec());
    }
    Password::new(content.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Diagnose;
    use rstest::rstest;
    use std::fs::Permissions;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    fn never(question: &str) -> Result<Password, Error> {
        panic!("asked: {question}")
    }

    fn password(text: &str) -> Password {
        Password::new(text.into()).unwrap()
    }

    /// One test at a time: a program can't be started while a child of another test still has it open for writing.
    static ONE: Mutex<()> = Mutex::new(());

    struct Folder(tempfile::TempDir, #[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap(), ONE.lock().unwrap_or_else(PoisonError::into_inner))
        }

        /// Writes a file and says where.
        fn file(&self, name: &str, content: &str, mode: u32) -> String {
            let path = self.0.path().join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path.into_os_string().into_string().unwrap()
        }

        fn load(&self, label: &str, name: &str, content: &str, mode: u32) -> Result<String, Error> {
            let source = Source::parse(&format!("{label}@{}", self.file(name, content, mode)))?;
            let password = source.load(&Secrets::new(), Purpose::Read, &mut never)?;
            Ok(String::from_utf8(password.reveal().to_vec()).unwrap())
        }
    }

    #[rstest]
    #[case("prompt", "default", Origin::Prompt)]
    #[case("prod@prompt", "prod", Origin::Prompt)]
    #[case("@prompt", "default", Origin::Prompt)]
    #[case("prompt_ask_vault_pass", "default", Origin::AskVaultPass)]
    #[case("pass.txt", "default", Origin::Path("pass.txt".into()))]
    #[case("prod@a@b", "prod", Origin::Path("a@b".into()))]
    fn sources(#[case] text: &str, #[case] label: &str, #[case] origin: Origin) {
        let source: Source = text.parse().unwrap();
        assert_eq!((source.label(), source.origin()), (label, &origin));
    }

    #[rstest]
    #[case("", "`` names no source for a vault password")]
    #[case("prod@", "`prod@` names no source for a vault password")]
    #[case("a;b@prompt", "`a;b` can't be a vault id: `;` separates the parts of the header")]
    fn mistakes(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Source::parse(text).unwrap_err().to_string(), expected);
    }

    #[rstest]
    #[case("prod@prompt", Purpose::Read, &["Vault password (prod): "])]
    #[case("prod@prompt", Purpose::New, &["New vault password (prod): ", "Confirm new vault password (prod): "])]
    #[case("prompt_ask_vault_pass", Purpose::Read, &["Vault password: "])]
    #[case("prompt_ask_vault_pass", Purpose::New, &["New Vault password: ", "Confirm New Vault password: "])]
    fn questions_are_those_of_ansible(#[case] text: &str, #[case] purpose: Purpose, #[case] expected: &[&str]) {
        let mut asked = Vec::new();
        let mut ask = |question: &str| {
            asked.push(question.to_owned());
            Ok(password("one"))
        };
        Source::parse(text).unwrap().load(&Secrets::new(), purpose, &mut ask).unwrap();
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_new_password_must_be_typed_twice_the_same() {
        let mut answers = ["one", "two"].into_iter();
        let mut ask = |_: &str| Ok(password(answers.next().unwrap()));
        let error = Source::ask().load(&Secrets::new(), Purpose::New, &mut ask).unwrap_err();
        assert!(matches!(error, Error::Mismatch));
    }

    #[test]
    fn files() {
        let folder = Folder::new();
        assert_eq!(folder.load("", "plain", " one two \r\n\n", 0o600).unwrap(), "one two");
        let error = folder.load("", "empty", "\n", 0o600).unwrap_err();
        assert!(error.to_string().ends_with("/empty`: the vault password is empty"), "{error}");
        assert_eq!(error.hint().unwrap(), "write the password into its first line");
    }

    #[test]
    fn programs() {
        let folder = Folder::new();
        let load = |name: &str, text: &str| folder.load("prod", name, &format!("#!/bin/sh\n{text}\n"), 0o700);
        assert_eq!(load("plain", "printf ' one \\r\\n'").unwrap(), " one ");
        assert_eq!(load("plain", "echo \"$# arguments\"").unwrap(), "0 arguments");
        assert_eq!(load("my-client.sh", "echo \"$*\"").unwrap(), "--vault-id prod");
        let failing = |name: &str, text: &str| load(name, text).unwrap_err().to_string();
        assert!(failing("plain", "exit 3").ends_with("/plain` ended with 3"));
        assert!(failing("plain", "kill -9 $$").ends_with("/plain` was ended by signal 9"));
        assert!(failing("plain", "true").ends_with("/plain` printed no password"));
        let said = failing("my-client", "echo locked >&2; exit 1");
        assert!(said.ends_with("/my-client` ended with 1: locked"), "{said}");
        let said = failing("my-client", "exit 2");
        assert!(said.ends_with("/my-client` knows no password for the vault id `prod`"), "{said}");
    }

    #[test]
    fn a_file_that_is_no_program_is_told_from_one() {
        let error = Folder::new().load("", "pass", "\u{1}hunter2", 0o700).unwrap_err();
        assert!(matches!(error, Error::ProgramStart { .. }), "{error}");
        assert!(error.hint().unwrap().starts_with("if it is no program, run `chmod -x /"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let folder = Folder::new();
        let load = |path: &str| Source::file(path).load(&Secrets::new(), Purpose::Read, &mut never).unwrap_err();
        let directory = folder.0.path().to_str().unwrap();
        assert!(load(directory).to_string().ends_with("` is a directory"));
        let error = load(&format!("{directory}/none"));
        assert!(error.to_string().ends_with("/none` can't be read"), "{error}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn a_password_file_may_be_encrypted_itself() {
        let folder = Folder::new();
        let text = crate::encrypt(b"inner\n", &password("outer"), None).unwrap();
        let source = Source::file(&folder.file("pass", &text, 0o600));
        let error = source.load(&Secrets::new(), Purpose::Read, &mut never).unwrap_err();
        assert!(error.to_string().ends_with("/pass`: there is no vault password"), "{error}");
        let mut known = Secrets::new();
        known.add("default", password("outer")).unwrap();
        assert_eq!(source.load(&known, Purpose::Read, &mut never).unwrap().reveal(), b"inner");
    }
}
