//! Playbook files: lists of plays and of imports of other playbooks.

use super::keywords::{self, Keywords};
use super::play::Imported;
use super::reader::Reader;
use super::{Play, Playbook, Sources, ast, fields, sources};
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::Mistakes;
use std::sync::Arc;
use yaml::{Mapping, Node, Value};

impl Playbook {
    /// Reads a playbook and everything that it imports. What is wrong in it beyond its YAML is kept for [`crate::check`],
    /// which reports it together with what it finds itself.
    ///
    /// # Errors
    /// A file can not be read, or is not YAML.
    pub fn load(path: &Utf8Path, sources: &Sources) -> Result<Self, Mistakes> {
        let (node, warnings) = sources::read(path)?;
        let mut reader = Reader::new(sources);
        reader.warnings.extend(warnings);
        let root = sources::directory_of(path);
        let plays = reader.playbook(&node, path, &root, &Imported::default());
        let problems = reader.problems;
        Ok(ast::Playbook { path: path.to_owned(), plays, problems, sources: *sources, warnings: reader.warnings })
    }
}

impl Reader<'_> {
    fn playbook(&mut self, node: &Node, file: &Utf8Path, root: &Utf8Path, imported: &Imported) -> Vec<Arc<Play>> {
        let entries = match &node.value {
            Value::Sequence(entries) => entries,
            Value::Null => {
                let hint = Some("begin a play with `- hosts: …`".to_owned());
                self.problems.hinted(&node.position, "the playbook is empty", hint);
                return Vec::new();
            }
            _ => {
                let message = format!("a playbook is a list of plays, not {}", node.kind());
                self.problems.hinted(&node.position, message, Some("begin each play with `- hosts: …`".to_owned()));
                return Vec::new();
            }
        };
        self.open_files.push(file.to_owned());
        let plays = entries.iter().flat_map(|entry| self.entry(entry, file, root, imported)).collect();
        self.open_files.pop();
        plays
    }

    fn entry(&mut self, node: &Node, file: &Utf8Path, root: &Utf8Path, imported: &Imported) -> Vec<Arc<Play>> {
        let Some(mapping) = node.as_mapping() else {
            let hint = Some("begin each play with `- hosts: …`".to_owned());
            self.problems.hinted(&node.position, format!("a play must be a mapping, not {}", node.kind()), hint);
            return Vec::new();
        };
        let import = mapping
            .iter()
            .find(|(key, _)| key.as_str().and_then(sources::short_name).is_some_and(|name| name == "import_playbook"));
        match import {
            Some((_, target)) => self.import_playbook(mapping, target, file, root, imported),
            None => self.play(mapping, node, file, root, imported).map(Arc::new).into_iter().collect(),
        }
    }

    fn import_playbook(
        &mut self,
        mapping: &Mapping,
        target: &Node,
        file: &Utf8Path,
        root: &Utf8Path,
        outer: &Imported,
    ) -> Vec<Arc<Play>> {
        let fields = self.fields(mapping, keywords::IMPORT_PLAYBOOK, "`import_playbook`");
        for (key, _) in &fields.others {
            if key.as_str().and_then(sources::short_name) != Some("import_playbook") {
                self.unknown_keyword(key, keywords::IMPORT_PLAYBOOK, "`import_playbook`");
            }
        }
        self.refuse_others(&fields.keywords, target);
        let Some(path) = self.imported_file(target, file) else { return Vec::new() };
        let mut imported = outer.clone();
        // The importing playbook's variables replace those of the plays (`PlaybookInclude.load_data`), outer ones last.
        let mut vars = fields.vars;
        vars.extend(outer.vars.clone());
        imported.vars = vars;
        imported.tags.extend(fields.keywords.tags);
        imported.when.extend(fields.keywords.when);
        match sources::read(&path) {
            Ok((node, warnings)) => {
                self.warnings.extend(warnings);
                self.playbook(&node, &path, root, &imported)
            }
            Err(mistakes) => {
                self.problems.mistakes.extend(mistakes);
                Vec::new()
            }
        }
    }

    /// Ansible accepts every keyword of a play on an import, and uses three of them.
    fn refuse_others(&mut self, keywords: &Keywords, target: &Node) {
        let used = Keywords {
            name: keywords.name.clone(),
            tags: keywords.tags.clone(),
            when: keywords.when.clone(),
            ..Keywords::default()
        };
        if *keywords != used {
            self.problems
                .unsupported(&target.position, "`import_playbook` with keywords besides `when`, `tags` and `vars`");
        }
    }

    fn imported_file(&mut self, target: &Node, file: &Utf8Path) -> Option<Utf8PathBuf> {
        let Some(name) = target.as_str().filter(|name| !name.is_empty()) else {
            self.problems.mistake(&target.position, format!("`import_playbook` takes a file, not {}", target.kind()));
            return None;
        };
        if fields::is_template(name) {
            self.problems.unsupported(&target.position, "a template in the path of `import_playbook`");
            return None;
        }
        let directories = [sources::directory_of(file)];
        let Some(path) = sources::find_file(name, &directories) else {
            let hint = Some(sources::looked_in(&directories));
            self.problems.hinted(&target.position, format!("file `{name}` does not exist"), hint);
            return None;
        };
        if self.open_files.contains(&path) {
            self.problems.mistake(&target.position, format!("file `{path}` imports itself"));
            return None;
        }
        Some(path)
    }
}
