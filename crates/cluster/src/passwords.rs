//! Vault passwords: where they come from, in Ansible's order (`CLI.setup_vault_secrets`, ansible-core 2.19), each read once.

use crate::context::environment;
use crate::exit::{Failure, Result, boxed};
use crate::output::Output;
use crate::prompt;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Diagnose, Mistake, Redactor};
use std::sync::{Arc, OnceLock};
use vault::{Origin, Password, Purpose, Secrets, Source};
use yaml::{Node, Value};

/// Decrypts a text of Ansible Vault, as the crates that read files want it.
pub(crate) type Decrypt = Arc<dyn Fn(&str) -> std::result::Result<String, String> + Send + Sync>;

/// The options that say where vault passwords come from, spelled as Ansible's.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Vault passwords")]
pub(crate) struct VaultOptions {
    /// Password of a vault id: LABEL@FILE, LABEL@PROGRAM or LABEL@prompt; may be given several times
    #[arg(long, global = true, value_name = "LABEL@SOURCE")]
    pub(crate) vault_id: Vec<String>,

    /// File with the vault password, or a program that prints it; may be given several times
    #[arg(long, global = true, alias = "vault-pass-file", value_name = "FILE")]
    pub(crate) vault_password_file: Vec<Utf8PathBuf>,

    /// Ask for the vault password
    #[arg(short = 'J', long, global = true, alias = "ask-vault-password")]
    pub(crate) ask_vault_pass: bool,
}

/// The passwords of one command.
#[derive(Clone)]
pub(crate) struct Passwords {
    sources: Vec<Source>,
    output: Output,
    loaded: Arc<OnceLock<Arc<Secrets>>>,
}

impl Passwords {
    /// `configured`: what `cluster.toml` says, which counts when nobody else says anything.
    pub(crate) fn new(options: &VaultOptions, configured: Option<Utf8PathBuf>, output: Output) -> Result<Self> {
        Ok(Self { sources: sources(options, configured)?, output, loaded: Arc::default() })
    }

    /// Whether there is a source, or someone to ask.
    fn can_be_had(&self) -> bool {
        !self.sources.is_empty() || prompt::has_terminal()
    }

    /// Those that were given; empty when there are none. Asks only where a source says so.
    pub(crate) fn given(&self) -> Result<Arc<Secrets>> {
        if self.sources.is_empty() && self.loaded.get().is_none() {
            return Ok(Arc::default());
        }
        self.needed()
    }

    /// Those that can be had without a question; what a source does not give is told as a warning.
    pub(crate) fn at_hand(&self) -> Arc<Secrets> {
        if let Some(loaded) = self.loaded.get() {
            return Arc::clone(loaded);
        }
        let silent: Vec<Source> = self.sources.iter().filter(|source| !source.asks()).cloned().collect();
        let loaded = load(&silent, Purpose::Read, &self.output).map(Arc::new);
        loaded.unwrap_or_else(|error| {
            self.output.warning(&Mistake { hint: error.hint(), ..Mistake::new(error.to_string()) });
            Arc::default()
        })
    }

    /// The files, or programs, that passwords are read from.
    pub(crate) fn files(&self) -> impl Iterator<Item = &std::path::Path> {
        self.sources.iter().filter_map(|source| match source.origin() {
            Origin::Path(path) => Some(path.as_path()),
            Origin::Prompt | Origin::AskVaultPass => None,
        })
    }

    /// Those that were given; when there are none, the answer to a question.
    pub(crate) fn needed(&self) -> Result<Arc<Secrets>> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(Arc::clone(loaded));
        }
        let secrets = Arc::new(load(&self.or_prompt(), Purpose::Read, &self.output)?);
        Ok(Arc::clone(self.loaded.get_or_init(|| secrets)))
    }

    /// Those for an encrypted file; an error that names it when there is no source and nobody to ask.
    pub(crate) fn needed_for(&self, file: &Utf8Path) -> Result<Arc<Secrets>> {
        if !self.can_be_had() {
            let failure = Failure::usage(format!("`{file}` is encrypted, and there is no vault password"));
            let hint = "give it with `--vault-password-file FILE` or in `cluster.toml`, or run this in a terminal";
            return Err(failure.hinted(hint).into());
        }
        self.needed()
    }

    /// Those to encrypt with: a password that is typed is typed twice.
    pub(crate) fn for_encryption(&self) -> Result<Secrets> {
        load(&self.or_prompt(), Purpose::New, &self.output)
    }

    /// Decryption with those that were given, if any were. Nothing is asked: this is called while other things go on.
    pub(crate) fn decrypt(&self) -> Result<Option<Decrypt>> {
        let secrets = self.given()?;
        Ok((!secrets.is_empty()).then(|| decryption(secrets)))
    }

    /// Decryption that asks for the password when it comes upon something encrypted and none was given. Nothing where
    /// nobody could answer.
    pub(crate) fn decrypt_asking(&self) -> Option<Decrypt> {
        let passwords = self.clone();
        self.can_be_had().then(|| -> Decrypt {
            Arc::new(move |text| {
                let secrets = passwords.needed().map_err(|error| said(error.as_ref()))?;
                decryption(secrets)(text)
            })
        })
    }

    /// The sources as `--vault-id` takes them, for a program that reads them itself.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let source = |source: &Source| match source.origin() {
            Origin::Prompt => format!("{}@prompt", source.label()),
            Origin::AskVaultPass => format!("{}@prompt_ask_vault_pass", source.label()),
            Origin::Path(path) => format!("{}@{}", source.label(), path.display()),
        };
        self.sources.iter().map(source).collect()
    }

    fn or_prompt(&self) -> Vec<Source> {
        if self.sources.is_empty() { vec![Source::ask()] } else { self.sources.clone() }
    }
}

/// Passwords from any sources, such as the new ones of `rekey`. They are never shown.
pub(crate) fn load(sources: &[Source], purpose: Purpose, output: &Output) -> Result<Secrets> {
    let mut ask = |question: &str| ask(question).map_err(vault::Error::unanswered);
    let (secrets, failed) = Secrets::load(sources, purpose, &mut ask).map_err(boxed)?;
    for error in failed {
        output.warning(&Mistake { hint: error.hint(), ..Mistake::new(error.to_string()) });
    }
    secrets.iter().for_each(|(_, password)| output.redactor().add(&String::from_utf8_lossy(password.reveal())));
    Ok(secrets.only_matching(environment("ANSIBLE_VAULT_ID_MATCH").is_some_and(|text| is_true(&text))))
}

fn ask(question: &str) -> std::result::Result<Password, Failure> {
    let hint = "give it with `--vault-password-file FILE` or ANSIBLE_VAULT_PASSWORD_FILE, or run this in a terminal";
    let typed = prompt::secret(question, "the vault password", hint)?;
    Password::typed(typed.reveal().as_bytes()).map_err(|error| Failure::usage(error.to_string()))
}

/// Ansible's words for yes (`boolean` of `module_utils/parsing/convert_bool.py`).
fn is_true(text: &str) -> bool {
    ["y", "yes", "on", "1", "true", "t", "1.0"].contains(&text.to_lowercase().as_str())
}

fn sources(options: &VaultOptions, configured: Option<Utf8PathBuf>) -> Result<Vec<Source>> {
    let list = environment("ANSIBLE_VAULT_IDENTITY_LIST").unwrap_or_default();
    let listed = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let mut sources = Vec::new();
    for text in listed.chain(options.vault_id.iter().map(String::as_str)) {
        sources.push(Source::parse(text).map_err(boxed)?);
    }
    sources.extend(options.vault_password_file.iter().map(|file| Source::file(file.as_str())));
    sources.extend(environment("ANSIBLE_VAULT_PASSWORD_FILE").map(|file| Source::file(&file)));
    if options.ask_vault_pass {
        sources.push(Source::ask());
    }
    if sources.is_empty() {
        sources.extend(configured.map(|file| Source::file(file.as_str())));
    }
    Ok(sources)
}

/// From now on no value of a decrypted file is shown.
pub(crate) fn hush(node: &Node, redactor: &Redactor) {
    match &node.value {
        Value::Mapping(entries) => entries.iter().for_each(|(_, value)| hush(value, redactor)),
        Value::Sequence(items) => items.iter().for_each(|item| hush(item, redactor)),
        Value::String(text) => redactor.add(text),
        _ => redactor.add(&node.to_data().to_string()),
    }
}

fn decryption(secrets: Arc<Secrets>) -> Decrypt {
    Arc::new(move |text| {
        let decrypted = secrets.decrypt(text.as_bytes()).map_err(|error| said(&error))?;
        decrypted.plaintext.text().map(str::to_owned).map_err(|error| error.to_string())
    })
}

/// An error with its hint in one line, for places that take no more than that.
fn said(error: &dyn Diagnose) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
