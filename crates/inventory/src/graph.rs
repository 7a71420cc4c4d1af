//! Hosts and groups and how they hang together, built up by the sources one after the other. The rules, and the order of
//! everything, are those of ansible-core 2.19's `inventory/data.py` and `inventory/group.py`.

use crate::HostName;
use diagnostic::{Mistake, Position};
use indexmap::{IndexMap, IndexSet};
use std::collections::HashSet;
use yaml::Node;

/// Variables by name, as authored: they may hold templates.
pub type Variables = IndexMap<String, Node>;

/// A group of hosts and other groups.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub hosts: IndexSet<HostName>,
    /// In the order in which they were added; indices into [`Graph::groups`].
    pub children: IndexSet<usize>,
    pub parents: IndexSet<usize>,
    /// Length of the longest way from `all`, set by [`Graph::reconcile`].
    pub depth: usize,
    /// `ansible_group_priority`.
    pub priority: i64,
    pub variables: Variables,
    /// Where it was first named; `None` for `all` and `ungrouped`.
    pub position: Option<Position>,
}

/// A host.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub variables: Variables,
    /// Where it was first named.
    pub position: Position,
    /// Indices of all groups that it is in, also by way of others, `all` included; set by [`Graph::reconcile`].
    pub groups: Vec<usize>,
}

/// All hosts and groups in the order in which they were first named.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub groups: IndexMap<String, Group>,
    pub hosts: IndexMap<HostName, Host>,
}

/// The index of `all`.
pub(crate) const ALL: usize = 0;
/// The index of `ungrouped`.
pub(crate) const UNGROUPED: usize = 1;

impl Graph {
    pub fn new() -> Self {
        let mut graph = Self { groups: IndexMap::new(), hosts: IndexMap::new() };
        graph.insert_group("all", None);
        graph.insert_group("ungrouped", None);
        graph.link(ALL, UNGROUPED);
        graph
    }

    /// The group's index; it is made if it is not there.
    pub fn group(&mut self, name: &str, position: &Position) -> usize {
        match self.groups.get_index_of(name) {
            Some(index) => index,
            None => self.insert_group(name, Some(position.clone())),
        }
    }

    fn insert_group(&mut self, name: &str, position: Option<Position>) -> usize {
        let group = Group {
            hosts: IndexSet::new(),
            children: IndexSet::new(),
            parents: IndexSet::new(),
            depth: 0,
            priority: 1,
            variables: Variables::new(),
            position,
        };
        self.groups.insert_full(name.to_owned(), group).0
    }

    /// Puts a host into a group; true if the host was not known before.
    pub fn host(&mut self, name: &HostName, group: usize, position: &Position) -> bool {
        let is_new = !self.hosts.contains_key(name);
        if is_new {
            let host = Host { variables: Variables::new(), position: position.clone(), groups: Vec::new() };
            self.hosts.insert(name.clone(), host);
        }
        self.groups[group].hosts.insert(name.clone());
        is_new
    }

    /// Makes one group part of another; `position` is where that is written.
    pub fn child(&mut self, parent: usize, child: usize, position: &Position) -> Result<(), Mistake> {
        if parent == child || self.descendants(child).contains(&parent) {
            return Err(self.cycle(parent, child, position));
        }
        self.link(parent, child);
        Ok(())
    }

    fn link(&mut self, parent: usize, child: usize) {
        self.groups[parent].children.insert(child);
        self.groups[child].parents.insert(parent);
    }

    fn cycle(&self, parent: usize, child: usize, position: &Position) -> Mistake {
        let way = self.way(child, parent);
        let names: Vec<_> =
            std::iter::once(parent).chain(way).map(|index| format!("`{}`", self.group_name(index))).collect();
        Mistake::at(
            position.clone(),
            format!("group `{}` would contain itself: {}", self.group_name(parent), names.join(" > ")),
        )
        .labelled("closes the loop")
        .hinted("take the group out of one of these `children`")
    }

    /// Groups from `from` down to `to`, both included.
    fn way(&self, from: usize, to: usize) -> Vec<usize> {
        if from == to {
            return vec![from];
        }
        let next =
            self.groups[from].children.iter().find(|child| **child == to || self.descendants(**child).contains(&to));
        let mut way = vec![from];
        way.extend(next.map(|next| self.way(*next, to)).unwrap_or_default());
        way
    }

    pub fn group_name(&self, index: usize) -> &str {
        self.groups.get_index(index).map_or("", |(name, _)| name)
    }

    /// All groups below one, itself not included, nearer ones first.
    pub fn descendants(&self, group: usize) -> IndexSet<usize> {
        self.reach(group, |group| &group.children)
    }

    fn ancestors(&self, group: usize) -> IndexSet<usize> {
        self.reach(group, |group| &group.parents)
    }

    fn reach(&self, from: usize, next: impl Fn(&Group) -> &IndexSet<usize>) -> IndexSet<usize> {
        let mut found = next(&self.groups[from]).clone();
        let mut position = 0;
        while let Some(&group) = found.get_index(position) {
            found.extend(next(&self.groups[group]).iter().copied());
            position += 1;
        }
        found
    }

    /// The hosts of a group and of all below it, own hosts first.
    pub fn hosts_of(&self, group: usize) -> IndexSet<HostName> {
        let mut hosts = self.groups[group].hosts.clone();
        for below in self.descendants(group) {
            hosts.extend(self.groups[below].hosts.iter().cloned());
        }
        hosts
    }

    /// Once all sources are read: every group hangs below `all`, hosts without a group are in `ungrouped`, depths are known.
    pub fn reconcile(&mut self) {
        for group in 0..self.groups.len() {
            if group != ALL && self.groups[group].parents.is_empty() {
                self.link(ALL, group);
            }
        }
        let grouped = self.grouped();
        self.groups[UNGROUPED].hosts.retain(|host| !grouped.contains(host));
        let alone: Vec<_> = self.hosts.keys().filter(|host| !grouped.contains(*host)).cloned().collect();
        self.groups[UNGROUPED].hosts.extend(alone);
        self.set_depths();
        self.set_groups_of_hosts();
    }

    /// Hosts in any group but `all` and `ungrouped`.
    fn grouped(&self) -> HashSet<HostName> {
        self.groups.values().skip(UNGROUPED + 1).flat_map(|group| group.hosts.iter().cloned()).collect()
    }

    fn set_depths(&mut self) {
        // A parent may come behind its child in the list; the loop ends since there is no cycle.
        let mut changed = true;
        while changed {
            changed = false;
            for group in 0..self.groups.len() {
                let depth =
                    self.groups[group].parents.iter().map(|parent| self.groups[*parent].depth + 1).max().unwrap_or(0);
                changed |= depth != self.groups[group].depth;
                self.groups[group].depth = depth;
            }
        }
    }

    fn set_groups_of_hosts(&mut self) {
        for group in 0..self.groups.len() {
            let mut all = self.ancestors(group);
            all.insert(group);
            for host in self.groups[group].hosts.clone() {
                let Some(host) = self.hosts.get_mut(&host) else { continue };
                host.groups.extend(all.iter().copied());
            }
        }
        for host in self.hosts.values_mut() {
            host.groups.push(ALL);
            host.groups.sort_unstable();
            host.groups.dedup();
        }
    }
}
