//! A host's variables, from the weakest to the strongest, in the order of ansible-core 2.19 (`vars/manager.py`,
//! `VARIABLE_PRECEDENCE`): later ones replace earlier ones whole (`hash_behaviour=replace`).

use crate::graph::{ALL, Variables};
use crate::vars_files::Owner;
use crate::{Error, Inventory, address};
use camino::Utf8Path;
use diagnostic::Position;
use yaml::{Mapping, Node, Value};

/// Names that stand for the machine itself, in the inventory or not (`LOCALHOST` in `constants.py`).
pub(crate) const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

impl Inventory {
    /// The variables of a host: those of the inventory, of `group_vars` and `host_vars` beside it and in `playbook_dir`, and
    /// the magic ones that come from the inventory alone. `localhost` needs no place in the inventory.
    ///
    /// # Errors
    /// The host is unknown, or a variable file can't be read.
    pub fn variables(&self, host: &str, playbook_dir: Option<&Utf8Path>) -> Result<Variables, Error> {
        let mut variables = self.variables_without_groups(host, playbook_dir)?;
        variables.insert("groups".to_owned(), self.groups_node().clone());
        Ok(variables)
    }

    /// The same without `groups`, which is alike for all hosts and as large as the inventory: see [`Self::groups_node`].
    ///
    /// # Errors
    /// As [`Self::variables`].
    pub fn variables_without_groups(&self, host: &str, playbook_dir: Option<&Utf8Path>) -> Result<Variables, Error> {
        let groups = self.groups_from_weakest(host)?;
        let mut variables = self.graph.groups[ALL].variables.clone();
        for group in &groups {
            variables.extend(self.graph.groups[*group].variables.clone());
        }
        let own: Vec<&str> = groups.iter().map(|group| self.graph.group_name(*group)).collect();
        for names in [["all"].as_slice(), &own] {
            self.add_files(&mut variables, &self.directories, Owner::Group, names)?;
            self.add_files(&mut variables, playbook_dir, Owner::Group, names)?;
        }
        variables.extend(self.host_variables(host));
        variables.extend(magic(host, &own));
        self.add_files(&mut variables, &self.directories, Owner::Host, &[host])?;
        self.add_files(&mut variables, playbook_dir, Owner::Host, &[host])?;
        Ok(variables)
    }

    /// The host's groups but `all`, by depth, then priority, then name.
    fn groups_from_weakest(&self, host: &str) -> Result<Vec<usize>, Error> {
        let Some(known) = self.graph.hosts.get(host) else {
            let is_implicit = LOCALHOST.contains(&host);
            return if is_implicit { Ok(Vec::new()) } else { Err(self.unknown_host(host)) };
        };
        let mut groups: Vec<usize> = known.groups.iter().copied().filter(|group| *group != ALL).collect();
        groups.sort_by_key(|index| {
            let group = &self.graph.groups[*index];
            (group.depth, group.priority, self.graph.group_name(*index))
        });
        Ok(groups)
    }

    fn host_variables(&self, host: &str) -> Variables {
        if let Some(known) = self.graph.hosts.get(host) {
            return known.variables.clone();
        }
        let mut implicit = Variables::new();
        implicit.insert("ansible_connection".to_owned(), Node::string("local", nowhere()));
        implicit
    }

    fn add_files<'a, P>(
        &self,
        variables: &mut Variables,
        directories: impl IntoIterator<Item = &'a P>,
        owner: Owner,
        names: &[&str],
    ) -> Result<(), Error>
    where
        P: AsRef<Utf8Path> + ?Sized + 'a,
    {
        for directory in directories {
            for name in names {
                let found = self.vars_files.variables(directory.as_ref(), owner, name)?;
                variables.extend(found.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        Ok(())
    }

    /// The magic variable `groups`: the hosts of each group by name.
    pub fn groups_node(&self) -> &Node {
        self.groups_node.get_or_init(|| {
            let names = |hosts: Vec<crate::HostName>| {
                Value::Sequence(hosts.iter().map(|host| Node::string(host.as_str(), nowhere())).collect())
            };
            let entries = self
                .groups()
                .into_iter()
                .map(|(group, hosts)| (Node::string(group, nowhere()), Node::new(names(hosts), nowhere())));
            Node::new(Value::Mapping(entries.collect::<Mapping>()), nowhere()).into_unsafe()
        })
    }
}

fn magic(host: &str, groups: &[&str]) -> Variables {
    let short = if address::is_address(host) { host } else { host.split('.').next().unwrap_or(host) };
    let mut names = groups.to_vec();
    names.sort_unstable();
    let group_names = Value::Sequence(names.into_iter().map(|name| Node::string(name, nowhere())).collect());
    let nodes = [
        ("inventory_hostname", Value::String(host.to_owned())),
        ("inventory_hostname_short", Value::String(short.to_owned())),
        ("group_names", group_names),
    ];
    nodes.into_iter().map(|(name, value)| (name.to_owned(), Node::new(value, nowhere()).into_unsafe())).collect()
}

fn nowhere() -> Position {
    Position::new("<inventory>", 1, 1)
}
