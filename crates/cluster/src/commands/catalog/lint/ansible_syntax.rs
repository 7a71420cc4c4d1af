//! The playbook, as `ansible-playbook` reads it.

use super::program::{self, Said};
use super::rule::Described;
use super::{outcome::Outcomes, parallel};
use camino::{Utf8Path, Utf8PathBuf};
use catalog::Service;
use catalog::lint::Finding;

pub(super) const RULE: Described =
    Described::new("playbook-ansible", "`ansible-playbook --syntax-check` takes build.yml, where it is installed");

/// Checks all playbooks in one go, and one by one when something is wrong: it stops at the first mistake.
pub(super) fn check(root: &Utf8Path, services: &[&Service], outcomes: &mut Outcomes) {
    let Some(ansible) = program::of_python(root, "ansible-playbook") else {
        return outcomes.not_run(RULE.rule, services, "`ansible-playbook` is not installed");
    };
    let together = syntax_check(&ansible, root, services);
    if together.is_ok_and(|said| said.done) {
        return services.iter().for_each(|service| outcomes.take(service, RULE.rule, Vec::new()));
    }
    let said = parallel::each(services.to_vec(), |service| syntax_check(&ansible, root, &[service]));
    for (service, said) in services.iter().zip(said) {
        match said {
            Ok(said) if said.done => outcomes.take(service, RULE.rule, Vec::new()),
            Ok(said) => outcomes.take(service, RULE.rule, vec![finding(service, &said.stderr)]),
            Err(reason) => outcomes.not_run(RULE.rule, &[service], &reason),
        }
    }
}

fn syntax_check(ansible: &Utf8PathBuf, root: &Utf8Path, services: &[&Service]) -> Result<Said, String> {
    let playbooks = services.iter().map(|service| relative(&service.playbook(), root));
    let arguments: Vec<_> = std::iter::once("--syntax-check".to_owned()).chain(playbooks).collect();
    let settings =
        [("ANSIBLE_NOCOLOR", "1"), ("ANSIBLE_LOCALHOST_WARNING", "0"), ("ANSIBLE_INVENTORY_UNPARSED_WARNING", "0")];
    program::run(ansible, root, &arguments, &settings)
}

/// `[ERROR]: …` and then `Origin: file:line:column`, as ansible-core 2.19 has it.
fn finding(service: &Service, stderr: &str) -> Finding {
    let message = stderr.lines().find_map(|line| line.strip_prefix("[ERROR]: ")).unwrap_or(stderr.trim());
    let finding = Finding::new(RULE.rule, service.name.as_str(), message).in_file(service.playbook());
    let origin = stderr.lines().find_map(|line| line.strip_prefix("Origin: "));
    match origin.and_then(place) {
        Some(place) => finding.at(&place),
        None => finding,
    }
}

fn place(origin: &str) -> Option<diagnostic::Position> {
    let mut parts = origin.trim().rsplitn(3, ':');
    let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(diagnostic::Position::new(parts.next()?, line, column))
}

/// A path below the folder that the program runs in.
pub(super) fn relative(path: &Utf8Path, root: &Utf8Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn origins_are_places() {
        assert_eq!(place("/a/b.yml:4:3").map(|place| place.to_string()).as_deref(), Some("/a/b.yml:4:3"));
        assert!(place("<unicode>").is_none());
    }
}
