//! The work: a list of steps, from which the playbook, the shell script of the floor and the expected files are made, so
//! that all peers do the same.

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Runs a program, unless the file that it makes is there.
    Command,
    /// Brings a file from here to the machine.
    Copy,
}

/// What is done on each of some hosts.
#[derive(Debug, Clone)]
pub struct Work {
    /// What the table calls it.
    pub name: &'static str,
    /// How many hosts it is done on at once.
    pub hosts: usize,
    /// On each of them, in this order.
    pub steps: Vec<Step>,
}

/// The size of the files that are copied: a small configuration file.
const FILE_BYTES: usize = 1024;

/// The mode of the files that are copied; no peer's default.
pub const MODE: u32 = 0o640;

/// How the floor brings a file there: compared first, private until it is whole, and in one step, as `copy` does it.
const PUT: &str = r#"set -e
umask 077
put() {
    if [ -f "$1" ] && [ "$(sha1sum <"$1")" = "$2  -" ]; then return; fi
    cat >"$1.new"
    chmod 0640 "$1.new"
    mv "$1.new" "$1"
}
"#;

impl Work {
    /// The three rows of the table in the design.
    pub fn all() -> [Self; 3] {
        [
            Self::new("3 tasks, 1 host", 1, 3),
            Self::new("100 tasks, 1 host", 1, 100),
            Self::new("20 tasks, 10 hosts", 10, 20),
        ]
    }

    fn new(name: &'static str, hosts: usize, count: usize) -> Self {
        let steps = [Step::Command, Step::Copy].into_iter().cycle().take(count).collect();
        Self { name, hosts, steps }
    }

    /// Whether connecting is most of it.
    pub fn is_short(&self) -> bool {
        self.steps.len() <= 3
    }

    /// The hosts' names.
    pub fn host_names(&self) -> Vec<String> {
        (1..=self.hosts).map(|number| format!("host{number}")).collect()
    }

    /// The names of the files that it leaves, and their content.
    pub fn files(&self) -> Vec<(String, String)> {
        self.steps.iter().enumerate().map(|(index, step)| (file(index), content(index, *step))).collect()
    }

    /// As a playbook. `folder` is a variable of each host.
    pub fn playbook(&self) -> String {
        let mut text = String::from("- hosts: all\n  gather_facts: false\n  tasks:\n");
        for (index, step) in self.steps.iter().enumerate() {
            let file = file(index);
            let path = format!("\"{{{{ folder }}}}/{file}\"");
            text += &match step {
                Step::Command => format!(
                    "    - name: run {file}\n      ansible.builtin.command:\n        argv: [touch, {path}]\n        \
                     creates: {path}\n"
                ),
                Step::Copy => format!(
                    "    - name: copy {file}\n      ansible.builtin.copy:\n        src: {file}\n        dest: {path}\n        \
                     mode: \"{MODE:04o}\"\n"
                ),
            };
        }
        text
    }

    /// As a shell script. `checksum` is SHA-1 in hexadecimal digits.
    pub fn script(&self, folder: &str, checksum: impl Fn(&str) -> String) -> String {
        let mut text = format!("{PUT}cd '{folder}'\n");
        for (index, step) in self.steps.iter().enumerate() {
            let (file, content) = (file(index), content(index, *step));
            text += &match step {
                Step::Command => format!("[ -e {file} ] || touch {file}\n"),
                Step::Copy => format!("put {file} {} <<'EOF'\n{content}EOF\n", checksum(&content)),
            };
        }
        text
    }
}

fn file(index: usize) -> String {
    format!("step-{:03}", index + 1)
}

/// No two files have the same, so that none passes for another.
fn content(index: usize, step: Step) -> String {
    match step {
        Step::Command => String::new(),
        Step::Copy => format!("{:=<width$}\n", format!("line of {} ", file(index)), width = FILE_BYTES - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::process::Command;

    #[test]
    fn steps_alternate() {
        let [three, hundred, _] = Work::all();
        assert_eq!(three.steps, [Step::Command, Step::Copy, Step::Command]);
        assert_eq!(hundred.steps.iter().filter(|step| **step == Step::Copy).count(), 50);
    }

    #[test]
    fn a_playbook_has_a_task_for_each_step() {
        let [three, ..] = Work::all();
        let playbook = three.playbook();
        assert_eq!(playbook.matches("- name: ").count(), 3);
        assert!(playbook.contains("        argv: [touch, \"{{ folder }}/step-001\"]\n"), "{playbook}");
        assert!(playbook.contains("        dest: \"{{ folder }}/step-002\"\n        mode: \"0640\"\n"), "{playbook}");
    }

    #[test]
    fn copied_files_have_the_size_and_differ() {
        let [_, hundred, _] = Work::all();
        let copied: Vec<_> = hundred.files().into_iter().filter(|(_, content)| !content.is_empty()).collect();
        assert!(copied.iter().all(|(_, content)| content.len() == FILE_BYTES));
        assert!(copied.windows(2).all(|pair| pair[0].1 != pair[1].1));
    }

    #[test]
    fn the_script_of_the_floor_does_the_same_and_touches_nothing_twice() {
        let [three, ..] = Work::all();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let script = three.script(path, |text| crate::machine::checksum(text).unwrap());
        let run = || {
            let status = Command::new("sh").args(["-c", &script]).status().unwrap();
            assert!(status.success());
            let look = |(name, content): (String, String)| {
                let path = folder.path().join(name);
                assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
                let data = path.metadata().unwrap();
                assert!(content.is_empty() || data.mode() & 0o7777 == MODE);
                (data.ino(), data.modified().unwrap())
            };
            three.files().into_iter().map(look).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
        assert_eq!(folder.path().read_dir().unwrap().count(), 3);
    }
}
