//! `cluster.toml`. Flags beat the environment, the environment beats this file, this file beats the defaults.

use crate::commands::playbook::Engine;
use crate::exit::{Error, Failure, Result, boxed};
use crate::target::Target;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Mistake, Position, closest};
use serde::Deserialize;

/// Name of the file that marks the root of a project.
pub(crate) const FILE_NAME: &str = "cluster.toml";

/// The file's content, with defaults where it is silent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub(crate) struct Config {
    /// Inventory, relative to the file.
    pub(crate) inventory: Utf8PathBuf,
    /// The host, or the group with the one host, on which service playbooks run.
    pub(crate) controller: String,
    /// Kubeconfig on the controller.
    pub(crate) kubeconfig: Utf8PathBuf,
    /// Helm on the controller: a name, or an absolute path where sudo's `PATH` lacks it.
    pub(crate) helm: String,
    /// kubectl on the controller, likewise; only services with encrypted configuration need it.
    pub(crate) kubectl: String,
    /// Cluster to work on when nothing else says it.
    pub(crate) target: Target,
    /// File with the vault password, or a program that prints it, relative to the file.
    pub(crate) vault_password_file: Option<Utf8PathBuf>,
    /// What runs playbooks when no flag says it.
    pub(crate) engine: Engine,
    /// Where the controller gets the charts from.
    pub(crate) source: Source,
}

/// `[source]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Source {
    /// Repository that the controller clones.
    pub(crate) repository: Option<String>,
    /// Branch, tag or commit.
    pub(crate) version: Option<String>,
    /// The clone on the controller.
    pub(crate) destination: Option<Utf8PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            inventory: "ansible/inventory/compute.ini".into(),
            controller: "controller".to_owned(),
            kubeconfig: "/etc/rancher/k3s/k3s.yaml".into(),
            helm: "helm".to_owned(),
            kubectl: "kubectl".to_owned(),
            target: Target::Boards,
            vault_password_file: None,
            engine: Engine::Auto,
            source: Source::default(),
        }
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "serde's `default` needs it, and each field's default is a decision of its own"
)]
impl Default for Source {
    fn default() -> Self {
        Self { repository: None, version: None, destination: None }
    }
}

/// A configuration and the folder that its paths start from.
pub(crate) struct Found {
    pub(crate) root: Utf8PathBuf,
    pub(crate) config: Config,
    /// Where the file names the inventory; nowhere when it leaves it to the default.
    inventory_place: Option<Position>,
}

impl Found {
    /// That the inventory of the configuration is not there.
    pub(crate) fn missing_inventory(&self) -> Mistake {
        let mistake = Mistake::new(format!("inventory `{}` not found", shown(&self.root.join(&self.config.inventory))));
        match &self.inventory_place {
            Some(place) => Mistake { position: Some(place.clone()), ..mistake }
                .labelled("no such file")
                .hinted("correct the path; it begins in the folder of this file"),
            None => mistake.hinted(format!("make it, or name yours in `{FILE_NAME}`: `inventory = \"…\"`")),
        }
    }

    /// The file with the vault password: relative to the folder, unless it starts at the home folder (`~`).
    pub(crate) fn vault_password_file(&self) -> Option<Utf8PathBuf> {
        let path = self.config.vault_password_file.as_ref()?;
        Some(if path.as_str().starts_with('~') { path.clone() } else { self.root.join(path) })
    }
}

/// Reads the file given, else the nearest one in the current folder or above it.
pub(crate) fn find(given: Option<&Utf8Path>) -> Result<Found> {
    let path = match given {
        Some(path) => absolute(path)?,
        None => nearest(&current_directory()?).ok_or_else(missing)?,
    };
    let file = shown(&path);
    let text = diagnostic::text("configuration", file.as_str(), std::fs::read(&path)).map_err(boxed)?;
    let config = parse(file.as_str(), &text)?;
    let root = path.parent().map_or_else(|| Utf8PathBuf::from("/"), Utf8Path::to_owned);
    Ok(Found { root, config, inventory_place: inventory_place(file.as_str(), &text) })
}

/// Where the file names the inventory, if it does.
fn inventory_place(file: &str, text: &str) -> Option<Position> {
    #[derive(Deserialize)]
    struct Inventory {
        inventory: toml::Spanned<String>,
    }
    Some(position(file, text, toml::from_str::<Inventory>(text).ok()?.inventory.span()))
}

fn parse(file: &str, text: &str) -> Result<Config> {
    toml::from_str(text).map_err(|error| {
        let position = position(file, text, error.span().unwrap_or(0..1));
        let (message, hint) = explained(error.message());
        boxed(Mistake::at(position, message).hinted(hint))
    })
}

fn position(file: &str, text: &str, span: std::ops::Range<usize>) -> Position {
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Position::new(file, to_u32(line), to_u32(column)).with_length(span.len())
}

/// The message of the reader without the list of what it expected, and what to write instead.
fn explained(message: &str) -> (String, String) {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let hint = match what.split('`').nth(1) {
        _ if expected.starts_with("a string") || what.contains("must be quoted") || what.contains("basic string") => {
            "put the value in quotes: `\"…\"`".to_owned()
        }
        Some(written) if !names.is_empty() => match closest(written, names.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("write one of `{}`", names.join("`, `")),
        },
        _ if expected.is_empty() => "the `cluster.toml` of the project explains every key".to_owned(),
        _ => format!("write {expected}"),
    };
    (what.to_owned(), hint)
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether there is one at all: given, or found.
pub(crate) fn exists(given: Option<&Utf8Path>) -> bool {
    given.is_some() || current_directory().is_ok_and(|here| nearest(&here).is_some())
}

fn nearest(start: &Utf8Path) -> Option<Utf8PathBuf> {
    start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}

fn missing() -> Error {
    Failure::usage(format!("there is no `{FILE_NAME}` in this folder or above it"))
        .hinted("change into a clone of the project, or name the file with `--config`")
        .into()
}

/// The current folder.
pub(crate) fn current_directory() -> Result<Utf8PathBuf> {
    let here = std::env::current_dir().map_err(|error| Failure::usage("the current folder is gone").because(error))?;
    Utf8PathBuf::from_path_buf(here)
        .map_err(|path| Failure::usage(format!("the current folder's name is no UTF-8: {}", path.display())).into())
}

/// The path with the current folder before it, where it is relative.
pub(crate) fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf> {
    Ok(current_directory()?.join(path))
}

/// A path as the user would write it: relative to the current folder where it lies below it.
pub(crate) fn shown(path: &Utf8Path) -> Utf8PathBuf {
    let relative = current_directory().ok().and_then(|here| path.strip_prefix(&here).ok().map(Utf8Path::to_owned));
    match relative {
        Some(relative) if !relative.as_str().is_empty() => relative,
        _ => path.to_owned(),
    }
}

/// The same for a folder that paths begin with; the current one is `.`.
pub(crate) fn shown_folder(path: &Utf8Path) -> Utf8PathBuf {
    match current_directory() {
        Ok(here) if here == path => Utf8PathBuf::from("."),
        _ => shown(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn an_empty_file_means_the_defaults() {
        assert_eq!(parse("cluster.toml", "").ok(), Some(Config::default()));
    }

    #[test]
    fn an_unknown_key_is_pointed_at() {
        let error = parse("cluster.toml", "target = \"sandbox\"\ncolour = 1\n").map(|_| ()).unwrap_err();
        assert_eq!(error.position().unwrap().to_string(), "cluster.toml:2:1");
        assert!(error.to_string().contains("unknown field `colour`"), "{error}");
    }

    #[rstest]
    #[case("inventry = \"a\"", "unknown field `inventry`", "did you mean `inventory`?")]
    #[case("target = \"moon\"", "unknown variant `moon`", "write one of `sandbox`, `boards`")]
    #[case("helm = 3", "invalid type: integer `3`", "put the value in quotes: `\"…\"`")]
    #[case("helm = \"helm", "invalid basic string", "put the value in quotes: `\"…\"`")]
    #[case("helm = helm3", "string values must be quoted", "put the value in quotes: `\"…\"`")]
    fn what_is_wrong_comes_with_what_to_write(#[case] text: &str, #[case] message: &str, #[case] hint: &str) {
        let error = parse("cluster.toml", text).map(|_| ()).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().unwrap().as_str()), (message, hint));
    }

    #[test]
    fn the_place_of_the_inventory_is_known() {
        let place = inventory_place("cluster.toml", "# mine\ninventory = \"a.ini\"\n").unwrap();
        assert_eq!(place.to_string(), "cluster.toml:2:13");
        assert_eq!(inventory_place("cluster.toml", "helm = \"helm\"\n"), None);
    }
}
