//! Nodes from the machines of an inventory.

use super::{NodeSpec, Role};
use crate::Error;
use crate::quantity::memory_bytes;
use diagnostic::{Mistake, Mistakes, Position, closest};
use inventory::{Inventory, Variables};
use std::collections::BTreeMap;
use yaml::{Node, Value};

/// What a host has to say, with an example for the hint.
const REQUIRED: [(&str, &str); 3] = [("node_arch", "arm64"), ("node_cpus", "4"), ("node_memory", "8Gi")];
/// What it may say.
const OPTIONAL: [(&str, &str); 2] = [("node_storage", "64Gi"), ("node_labels", "{'storage': 'ssd'}")];

/// Architectures of Go and container images; the kernel's names for them are understood.
const ARCHITECTURES: [(&str, &str); 5] =
    [("amd64", "amd64"), ("arm64", "arm64"), ("arm", "arm"), ("x86_64", "amd64"), ("aarch64", "arm64")];

impl NodeSpec {
    /// The machines of an inventory: all hosts, with the variables `node_arch` (`amd64`, `arm64`), `node_cpus` (cores),
    /// `node_memory` (`8Gi`) and, if they are there, `node_storage` (`64Gi`) and `node_labels` (a mapping). `controller`
    /// names the group, or the host, that runs the control plane.
    ///
    /// # Errors
    /// All hosts that lack a variable or have one that makes no sense, each with its place.
    pub fn from_inventory(inventory: &Inventory, controller: &str) -> Result<Vec<Self>, Error> {
        let controllers = match (inventory.group(controller), inventory.host(controller)) {
            (Some(hosts), _) => hosts,
            (None, Some(host)) => vec![host.clone()],
            (None, None) => return Err(Error::Nodes(Mistakes::from(no_controller(controller)))),
        };
        let mut mistakes = Mistakes::new();
        let mut specs = Vec::new();
        for host in inventory.hosts() {
            let variables = inventory.variables_without_groups(host.as_str(), None)?;
            let position = inventory.host_position(host.as_str());
            let role = if controllers.contains(host) { Role::Controller } else { Role::Worker };
            let machine = Machine { host: host.as_str(), position, variables: &variables };
            match machine.spec(role) {
                Ok(spec) => specs.push(spec),
                Err(found) => mistakes.extend(found),
            }
        }
        mistakes.into_result().map_err(Error::Nodes)?;
        // Controllers first: the first node's address is the endpoint of the `kubernetes` Service.
        specs.sort_by_key(|spec| spec.role);
        Ok(specs)
    }
}

fn no_controller(name: &str) -> Mistake {
    let message = format!("the inventory has no host or group `{name}`, where the sandbox runs its control plane");
    Mistake::new(message).hinted(format!("make a group `{name}` with one host, or set `controller` in `cluster.toml`"))
}

/// One host.
struct Machine<'a> {
    host: &'a str,
    position: Option<&'a Position>,
    variables: &'a Variables,
}

impl Machine<'_> {
    fn spec(&self, role: Role) -> Result<NodeSpec, Vec<Mistake>> {
        if let Some(missing) = self.missing() {
            return Err(vec![missing]);
        }
        let mut mistakes = Vec::new();
        let mut keep = |result: Result<(), Mistake>| mistakes.extend(result.err());
        let mut spec = NodeSpec::new(self.host, role, "", 0, 0);
        keep(self.read("node_arch", architecture).map(|arch| spec.arch = arch.unwrap_or_default()));
        keep(self.read("node_cpus", cores).map(|cpus| spec.cpus = cpus.unwrap_or_default()));
        keep(self.read("node_memory", amount).map(|memory| spec.memory_bytes = memory.unwrap_or_default()));
        keep(self.read("node_storage", amount).map(|storage| {
            spec.storage_bytes = storage.unwrap_or(NodeSpec::DEFAULT_STORAGE_BYTES);
        }));
        keep(self.read("node_labels", labels).map(|labels| spec.labels = labels.unwrap_or_default()));
        if mistakes.is_empty() { Ok(spec) } else { Err(mistakes) }
    }

    /// One mistake for all that is missing.
    fn missing(&self) -> Option<Mistake> {
        let missing: Vec<_> = REQUIRED.iter().filter(|(name, _)| !self.variables.contains_key(*name)).collect();
        let names = missing.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let examples = missing.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        if missing.is_empty() {
            return None;
        }
        let message = format!("the sandbox needs {names} of host `{}`", self.host);
        let mistake = match self.position {
            Some(position) => Mistake::at(position.clone(), message),
            None => Mistake::new(message),
        };
        Some(mistake.hinted(format!("add `{examples}` to its line, or to the variables of its group")))
    }

    /// A variable, if it is there.
    fn read<T>(&self, name: &str, parse: fn(&Value) -> Result<T, String>) -> Result<Option<T>, Mistake> {
        let Some(node) = self.variables.get(name) else { return Ok(None) };
        parse(&node.value).map(Some).map_err(|expected| Self::wrong(name, node, &expected))
    }

    fn wrong(name: &str, node: &Node, expected: &str) -> Mistake {
        // Without the host: a group's variable is wrong once, not once for each host.
        let message = format!("`{name}` is {}", shown(node));
        let mistake = Mistake::at(node.position.clone(), message).labelled(expected);
        match REQUIRED.iter().chain(&OPTIONAL).find(|(known, _)| *known == name) {
            Some((_, example)) => mistake.hinted(format!("write it like `{name}={example}`")),
            None => mistake,
        }
    }
}

/// What was written, for a message.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::String(text) if text.contains("{{") => "a template, which the sandbox does not evaluate".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Int(number) => format!("`{number}`"),
        Value::Float(number) => format!("`{number}`"),
        _ => node.kind().to_owned(),
    }
}

fn architecture(value: &Value) -> Result<String, String> {
    let written = match value {
        Value::String(text) => text.as_str(),
        _ => "",
    };
    match ARCHITECTURES.iter().find(|(name, _)| *name == written) {
        Some((_, arch)) => Ok((*arch).to_owned()),
        None => Err(match closest(written, ARCHITECTURES.iter().map(|(name, _)| *name)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "must be `amd64`, `arm64` or `arm`".to_owned(),
        }),
    }
}

fn cores(value: &Value) -> Result<u32, String> {
    let number = match value {
        Value::Int(number) => u32::try_from(*number).ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|cores| *cores > 0).ok_or_else(|| "must be a whole number of cores, such as `4`".to_owned())
}

fn amount(value: &Value) -> Result<u64, String> {
    let bytes = match value {
        Value::String(text) => memory_bytes(text),
        Value::Int(number) => return Err(format!("needs a unit, such as `{number}Gi`")),
        _ => None,
    };
    bytes.ok_or_else(|| "must be an amount with a unit, such as `8Gi`".to_owned())
}

fn labels(value: &Value) -> Result<BTreeMap<String, String>, String> {
    let expected = || "must be a mapping of names to texts, such as `{storage: ssd}`".to_owned();
    let Value::Mapping(mapping) = value else { return Err(expected()) };
    mapping
        .iter()
        .map(|(key, value)| {
            let value = match &value.value {
                Value::String(text) => text.clone(),
                Value::Bool(flag) => flag.to_string(),
                Value::Int(number) => number.to_string(),
                _ => return Err(expected()),
            };
            Ok((key.as_str().ok_or_else(expected)?.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Diagnose;

    fn specs(text: &str) -> Result<Vec<NodeSpec>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts.ini");
        std::fs::write(&file, text).unwrap();
        NodeSpec::from_inventory(&Inventory::load(&[file.to_str().unwrap()]).unwrap(), "controller")
    }

    /// Each mistake as `line: message (label, or hint)`.
    fn mistakes(text: &str) -> Vec<String> {
        let error = specs(text).unwrap_err();
        error
            .parts()
            .iter()
            .map(|it| {
                let line = it.position().map_or(0, |position| position.line);
                format!("{line}: {it} ({})", it.label().or(it.hint()).unwrap_or_default())
            })
            .collect()
    }

    #[test]
    fn the_compute_profile() {
        let specs = specs(
            "[workers]\npi-[1:2]\n[workers:vars]\nnode_arch=aarch64\nnode_cpus=4\nnode_memory=8Gi\nnode_labels={'storage': 'ssd'}\n\
             [controller]\namd-build node_arch=amd64 node_cpus=8 node_memory=32GB node_storage=1Ti\n",
        )
        .unwrap();
        assert_eq!(specs.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["amd-build", "pi-1", "pi-2"]);
        assert_eq!((specs[0].role, specs[0].cpus, specs[0].memory_bytes), (Role::Controller, 8, 32_000_000_000));
        assert_eq!(specs[0].storage_bytes, 1 << 40);
        assert_eq!((specs[1].role, specs[1].arch.as_str(), specs[1].memory_bytes), (Role::Worker, "arm64", 8 << 30));
        assert_eq!(specs[2].labels["storage"], "ssd");
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        insta::assert_debug_snapshot!(mistakes(
            "[controller]\na node_arch=amd46 node_cpus=0 node_memory=32\n[workers]\nb node_cpus=4\nc node_arch='{{ x }}' node_cpus=many node_memory=-1Gi\n",
        ), @r#"
        [
            "2: `node_arch` is `amd46` (did you mean `amd64`?)",
            "2: `node_cpus` is `0` (must be a whole number of cores, such as `4`)",
            "2: `node_memory` is `32` (needs a unit, such as `32Gi`)",
            "4: the sandbox needs `node_arch`, `node_memory` of host `b` (add `node_arch=arm64 node_memory=8Gi` to its line, or to the variables of its group)",
            "5: `node_arch` is a template, which the sandbox does not evaluate (must be `amd64`, `arm64` or `arm`)",
            "5: `node_cpus` is `many` (must be a whole number of cores, such as `4`)",
            "5: `node_memory` is `-1Gi` (must be an amount with a unit, such as `8Gi`)",
        ]
        "#);
    }

    #[test]
    fn a_group_s_mistake_is_told_once() {
        let text = "[controller]\npi-[1:3]\n[controller:vars]\nnode_arch=pi\nnode_cpus=4\nnode_memory=8Gi\n";
        assert_eq!(mistakes(text), ["4: `node_arch` is `pi` (must be `amd64`, `arm64` or `arm`)"]);
    }

    #[test]
    fn an_unknown_controller_is_told() {
        let error = specs("[master]\na node_arch=amd64 node_cpus=1 node_memory=1Gi\n").unwrap_err();
        assert!(error.to_string().contains("`controller`"), "{error}");
    }
}
