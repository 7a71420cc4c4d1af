//! From what `-i` names to the graph: lists, files of each kind, directories.

use crate::Error;
use crate::graph::Graph;
use crate::source::{self, Origin, Reader};
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Mistake, Mistakes, Position};
use yaml::Value;

/// Everything read from all sources.
pub(crate) struct Loaded {
    pub graph: Graph,
    pub warnings: Vec<Mistake>,
    /// Beside these `group_vars` and `host_vars` are looked for, in the order of the sources.
    pub directories: Vec<Utf8PathBuf>,
}

/// Reads the sources in order; all mistakes of all of them are told together.
pub(crate) fn load(sources: &[&str]) -> Result<Loaded, Error> {
    let mut loader = Loader { graph: Graph::new(), warnings: Vec::new(), mistakes: Mistakes::new() };
    let mut directories = Vec::new();
    if !sources.is_empty() && sources.iter().all(|source| source.is_empty()) {
        return Err(Error::Unnamed);
    }
    for source in sources.iter().filter(|source| !source.is_empty()) {
        let path = Utf8Path::new(source);
        if source.contains(',') && !path.exists() {
            loader.list(source);
            continue;
        }
        if path.is_dir() {
            if files_in(path)?.is_empty() {
                return Err(Error::NoFiles { path: path.to_owned() });
            }
            directories.push(path.to_owned());
        } else {
            let parent = path.parent().filter(|parent| !parent.as_str().is_empty());
            directories.push(parent.unwrap_or(Utf8Path::new(".")).to_owned());
        }
        loader.path(path)?;
    }
    loader.mistakes.into_result().map_err(Error::Invalid)?;
    let mut graph = loader.graph;
    graph.reconcile();
    let mut warnings = loader.warnings;
    warnings.extend(same_names(&graph));
    Ok(Loaded { graph, warnings, directories })
}

struct Loader {
    graph: Graph,
    warnings: Vec<Mistake>,
    mistakes: Mistakes,
}

/// The endings that are passed over in a directory: `INVENTORY_IGNORE_EXTS` of ansible-core 2.19's `config/base.yml`.
const IGNORED_ENDINGS: [&str; 12] =
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

impl Loader {
    fn read(&mut self, origin: Origin, read: impl FnOnce(&mut Reader<'_>)) -> Mistakes {
        let mut reader =
            Reader { origin, graph: &mut self.graph, mistakes: Mistakes::new(), warnings: &mut self.warnings };
        read(&mut reader);
        reader.mistakes
    }

    fn list(&mut self, text: &str) {
        let mistakes = self.read(Origin::list(text), |reader| source::list::read(text, reader));
        self.mistakes.extend(mistakes);
    }

    fn path(&mut self, path: &Utf8Path) -> Result<(), Error> {
        if path.is_dir() {
            return self.directory(path);
        }
        match std::fs::read(path) {
            Ok(bytes) => self.file(path, &bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::NotFound { path: path.to_owned() })
            }
            Err(source) => Err(Error::Read { path: path.to_owned(), source }),
        }
    }

    fn directory(&mut self, path: &Utf8Path) -> Result<(), Error> {
        files_in(path)?.into_iter().try_for_each(|name| self.path(&path.join(name)))
    }

    fn file(&mut self, path: &Utf8Path, bytes: &[u8]) -> Result<(), Error> {
        refuse_unsupported(path, bytes)?;
        let text = match text(bytes) {
            Ok(text) => text,
            Err(line) => {
                let position = Origin::file(path).at(line, 1);
                self.mistakes.push(
                    Mistake::at(position, "the line is not UTF-8")
                        .labelled("holds other bytes")
                        .hinted("save the file as UTF-8"),
                );
                return Ok(());
            }
        };
        match path.extension() {
            Some("yml" | "yaml" | "json") => self.yaml(path, &text, false),
            None => self.yaml(path, &text, true),
            Some(_) => {
                let mistakes = self.ini(path, &text);
                self.mistakes.extend(mistakes);
                Ok(())
            }
        }
    }

    fn ini(&mut self, path: &Utf8Path, text: &str) -> Mistakes {
        self.read(Origin::file(path), |reader| source::ini::read(text, reader))
    }

    /// A file without an ending is tried as YAML first, then as INI, as Ansible's plugins do in turn.
    fn yaml(&mut self, path: &Utf8Path, text: &str, or_ini: bool) -> Result<(), Error> {
        let parsed = yaml::parse(path.as_str(), text).and_then(|parsed| {
            let warnings = parsed.warnings.clone();
            parsed.into_one(path.as_str()).map(|root| (root, warnings))
        });
        match parsed {
            Ok((root, warnings)) => match &root.value {
                Value::Mapping(groups) if groups.get("plugin").is_some() => {
                    return Err(Error::Unsupported {
                        path: path.to_owned(),
                        what: "the configuration of an inventory plugin",
                        hint: save_once(path),
                    });
                }
                Value::Mapping(groups) => {
                    self.warnings.extend(warnings);
                    let mistakes = self.read(Origin::file(path), |reader| source::yaml::read(groups, reader));
                    self.mistakes.extend(mistakes);
                }
                Value::Null => {}
                _ if or_ini => {
                    let mistakes = self.ini(path, text);
                    self.mistakes.extend(mistakes);
                }
                _ => self.mistakes.push(
                    Mistake::at(
                        root.position.clone(),
                        format!("a YAML inventory is a mapping of groups, not {}", root.kind()),
                    )
                    .labelled(root.kind())
                    .hinted("begin with `all:`, or rename the file to `.ini` if it is one"),
                ),
            },
            Err(error) if or_ini => {
                let as_ini = self.ini(path, text);
                if !as_ini.is_empty() {
                    self.mistakes.extend(if looks_like_yaml(text) { error.into_mistakes() } else { as_ini });
                }
            }
            Err(error) => self.mistakes.extend(error.into_mistakes()),
        }
        Ok(())
    }
}

/// The names of what is read of a directory, in order.
fn files_in(path: &Utf8Path) -> Result<Vec<String>, Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let mut names = Vec::new();
    for entry in path.read_dir_utf8().map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_owned());
    }
    names.retain(|name| !is_ignored(name));
    names.sort_unstable();
    Ok(names)
}

/// Hidden files, `group_vars` and the like, and [`IGNORED_ENDINGS`] (ansible-core 2.19, `inventory/manager.py`).
fn is_ignored(name: &str) -> bool {
    name.starts_with('.')
        || matches!(name, "host_vars" | "group_vars" | "vars_plugins")
        || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn refuse_unsupported(path: &Utf8Path, bytes: &[u8]) -> Result<(), Error> {
    let what = if bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF") {
        "the executable inventory"
    } else if path.extension() == Some("toml") {
        "the TOML inventory"
    } else if bytes.starts_with(b"$ANSIBLE_VAULT") {
        return Err(Error::Unsupported {
            path: path.to_owned(),
            what: "the encrypted inventory",
            hint: "keep secrets in `group_vars` or `host_vars` and leave the inventory readable".to_owned(),
        });
    } else {
        return Ok(());
    };
    Err(Error::Unsupported { path: path.to_owned(), what, hint: save_once(path) })
}

fn save_once(path: &Utf8Path) -> String {
    format!("save what it yields and use that: `ansible-inventory -i {path} --list --yaml --export > hosts.yml`")
}

/// The file as text. Comment lines may hold any bytes, as with Ansible (its issue 17593); else the number of the bad line.
fn text(bytes: &[u8]) -> Result<String, usize> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().map(|(index, line)| match std::str::from_utf8(line) {
        Ok(line) => Ok(line.to_owned()),
        Err(_) if line.trim_ascii_start().starts_with(b"#") || line.trim_ascii_start().starts_with(b";") => {
            Ok(String::new())
        }
        Err(_) => Err(index + 1),
    });
    lines.collect::<Result<Vec<_>, _>>().map(|lines| lines.join("\n"))
}

fn looks_like_yaml(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("---") || line.starts_with('{') || line.ends_with(':'))
}

/// Ansible warns when a name is both a group's and a host's: in patterns it then means both.
fn same_names(graph: &Graph) -> Vec<Mistake> {
    let both = graph.hosts.iter().filter_map(|(name, host)| Some((name, host, graph.groups.get(name.as_str())?)));
    both.map(|(name, host, group)| {
        let elsewhere = group.position.as_ref().map(Position::to_string).unwrap_or_default();
        Mistake::at(host.position.clone(), format!("`{name}` is the name of a host and of a group"))
            .labelled("the host")
            .hinted(format!("rename one of them; the group is in {elsewhere}"))
    })
    .collect()
}
