//! From what the script prints to facts, as Ansible's `setup` module gives them.

use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The script's output in its parts.
struct Told<'a> {
    values: HashMap<&'a str, &'a str>,
    memory: HashMap<&'a str, u64>,
    release: HashMap<&'a str, String>,
    environment: Map<String, Value>,
}

/// Reads the script's output. Names come with `ansible_`, as modules return facts.
pub(crate) fn parse(output: &str) -> Map<String, Value> {
    let told = Told::read(output);
    let mut facts = Map::new();
    told.system(&mut facts);
    told.user(&mut facts);
    told.hardware(&mut facts);
    told.distribution(&mut facts);
    told.network(&mut facts);
    facts.insert("date_time".to_owned(), told.date_time());
    facts.insert("env".to_owned(), Value::Object(told.environment));
    facts.into_iter().map(|(name, value)| (format!("ansible_{name}"), value)).collect()
}

impl<'a> Told<'a> {
    fn read(output: &'a str) -> Self {
        let (head, rest) = output.split_once("[meminfo]\n").unwrap_or((output, ""));
        let (memory, rest) = rest.split_once("[os-release]\n").unwrap_or((rest, ""));
        let (release, environment) = rest.split_once("[env]\n").unwrap_or((rest, ""));
        Self {
            values: head.lines().filter_map(|line| line.split_once('=')).collect(),
            memory: memory.lines().filter_map(kilobytes).collect(),
            release: release.lines().filter_map(assignment).collect(),
            environment: read_environment(environment),
        }
    }

    fn get(&self, name: &str) -> &'a str {
        self.values.get(name).copied().unwrap_or_default().trim()
    }

    fn number(&self, name: &str) -> Value {
        self.get(name).parse::<u64>().map_or(Value::Null, Value::from)
    }

    fn system(&self, facts: &mut Map<String, Value>) {
        let fqdn = self.fqdn();
        set(facts, "nodename", self.get("nodename"));
        set(facts, "hostname", self.get("nodename").split('.').next().unwrap_or_default());
        set(facts, "fqdn", fqdn);
        set(facts, "domain", fqdn.split_once('.').map_or("", |(_, domain)| domain));
        for name in ["system", "kernel", "kernel_version", "machine"] {
            set(facts, name, self.get(name));
        }
        let machine = self.get("machine");
        let is_32_bit_intel = machine.len() == 4 && machine.starts_with('i') && machine.ends_with("86");
        set(facts, "architecture", if is_32_bit_intel { "i386" } else { machine });
        let init = self.get("init");
        set(
            facts,
            "service_mgr",
            match init {
                "init" | "busybox" => "sysvinit",
                "" => "service",
                other => other,
            },
        );
        set(
            facts,
            "pkg_mgr",
            match self.get("package_manager") {
                "apt-get" => "apt",
                "" => "unknown",
                other => other,
            },
        );
    }

    /// Python's `socket.getfqdn`: of the names of the machine's own address the first with a dot, else the first.
    fn fqdn(&self) -> &'a str {
        let names: Vec<_> = self.get("names").split_whitespace().skip(1).collect();
        let dotted = names.iter().copied().find(|name| name.contains('.'));
        dotted.or(names.first().copied()).unwrap_or_else(|| self.get("fqdn"))
    }

    fn user(&self, facts: &mut Map<String, Value>) {
        let passwd: Vec<_> = self.get("passwd").split(':').collect();
        let field = |index: usize| passwd.get(index).copied().unwrap_or_default();
        set(facts, "user_id", self.get("user_id"));
        for (name, source) in [
            ("user_uid", "user_uid"),
            ("user_gid", "user_gid"),
            ("effective_user_id", "user_uid"),
            ("effective_group_id", "user_gid"),
            ("real_user_id", "real_user_id"),
            ("real_group_id", "real_group_id"),
        ] {
            facts.insert(name.to_owned(), self.number(source));
        }
        set(facts, "user_gecos", field(4));
        set(facts, "user_dir", field(5));
        set(facts, "user_shell", field(6));
    }

    fn hardware(&self, facts: &mut Map<String, Value>) {
        for (name, source) in [
            ("memtotal_mb", "MemTotal"),
            ("memfree_mb", "MemFree"),
            ("swaptotal_mb", "SwapTotal"),
            ("swapfree_mb", "SwapFree"),
        ] {
            facts.insert(
                name.to_owned(),
                self.memory.get(source).map_or(Value::Null, |kilobytes| Value::from(kilobytes / 1024)),
            );
        }
        facts.insert("processor_vcpus".to_owned(), self.number("vcpus"));
        facts.insert("processor_nproc".to_owned(), self.number("vcpus"));
    }

    fn distribution(&self, facts: &mut Map<String, Value>) {
        let release = |name: &str| self.release.get(name).map_or("", String::as_str);
        let (name, family) = distribution(release("ID"), release("NAME"));
        // Debian's os-release has only the major version (`distro.version(best=True)` in ansible-core).
        let debian = self.get("debian_version");
        let has_minor = name == "Debian" && debian.starts_with(|c: char| c.is_ascii_digit());
        let version = if has_minor { debian } else { release("VERSION_ID") };
        set(facts, "distribution", name);
        set(facts, "distribution_version", version);
        set(facts, "distribution_major_version", version.split('.').next().unwrap_or_default());
        set(
            facts,
            "distribution_release",
            match release("VERSION_CODENAME") {
                "" => "NA",
                codename => codename,
            },
        );
        set(facts, "os_family", family);
    }

    fn network(&self, facts: &mut Map<String, Value>) {
        let route: Vec<_> = self.get("route").split_whitespace().collect();
        let after = |word: &str| route.iter().position(|w| *w == word).and_then(|at| route.get(at + 1)).copied();
        let default = match (after("src"), after("dev")) {
            (Some(address), Some(interface)) => {
                json!({"address": address, "interface": interface, "gateway": after("via").unwrap_or_default()})
            }
            _ => json!({}),
        };
        let addresses = self.get("addresses").split_whitespace().filter_map(|address| address.split('/').next());
        let addresses: Vec<_> = addresses.filter(|address| !address.starts_with("127.")).collect();
        facts.insert("default_ipv4".to_owned(), default);
        facts.insert("all_ipv4_addresses".to_owned(), json!(addresses));
    }

    fn date_time(&self) -> Value {
        let parts: Vec<_> = self.get("date").split_whitespace().collect();
        let part = |index: usize| parts.get(index).copied().unwrap_or_default();
        let (date, time) =
            (format!("{}-{}-{}", part(0), part(1), part(2)), format!("{}:{}:{}", part(3), part(4), part(5)));
        let utc = self.get("utc");
        json!({
            "year": part(0), "month": part(1), "day": part(2), "hour": part(3), "minute": part(4), "second": part(5),
            "tz_offset": part(6), "tz": part(7), "tz_dst": part(7), "epoch": part(8), "epoch_int": part(8), "weekday": part(10),
            "weekday_number": part(11), "weeknumber": part(12), "date": date, "time": time,
            "iso8601": format!("{utc}Z"), "iso8601_micro": format!("{utc}.000000Z"),
            "iso8601_basic_short": format!("{}{}{}T{}{}{}", part(0), part(1), part(2), part(3), part(4), part(5)),
        })
    }
}

fn set(facts: &mut Map<String, Value>, name: &str, value: &str) {
    facts.insert(name.to_owned(), Value::from(value));
}

/// `MemTotal:  8000000 kB`
fn kilobytes(line: &str) -> Option<(&str, u64)> {
    let (name, rest) = line.split_once(':')?;
    Some((name, rest.split_whitespace().next()?.parse().ok()?))
}

/// `NAME="Debian GNU/Linux"`
fn assignment(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.split_once('=')?;
    let words = shlex::split(value)?;
    Some((name, words.join(" ")))
}

/// `env`'s lines. A value may have several: what does not begin like an assignment belongs to the line before.
fn read_environment(text: &str) -> Map<String, Value> {
    let mut environment: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let name = line.split_once('=').filter(|(name, _)| is_variable(name));
        match (name, environment.last_mut()) {
            (Some((name, value)), _) => environment.push((name.to_owned(), value.to_owned())),
            (None, Some((_, value))) => {
                value.push('\n');
                value.push_str(line);
            }
            (None, None) => {}
        }
    }
    environment.into_iter().map(|(name, value)| (name, Value::from(value))).collect()
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Ansible's names for a distribution and its family (`module_utils/facts/system/distribution.py`).
fn distribution<'a>(id: &str, name: &'a str) -> (&'a str, &'static str) {
    match id {
        "debian" | "raspbian" => ("Debian", "Debian"),
        "ubuntu" => ("Ubuntu", "Debian"),
        "linuxmint" => ("Linux Mint", "Debian"),
        "kali" => ("Kali", "Debian"),
        "fedora" => ("Fedora", "RedHat"),
        "rhel" => ("RedHat", "RedHat"),
        "centos" => ("CentOS", "RedHat"),
        "rocky" => ("Rocky", "RedHat"),
        "almalinux" => ("AlmaLinux", "RedHat"),
        "amzn" => ("Amazon", "RedHat"),
        "alpine" => ("Alpine", "Alpine"),
        "arch" | "archarm" => ("Archlinux", "Archlinux"),
        "opensuse-leap" => ("openSUSE Leap", "Suse"),
        "opensuse-tumbleweed" => ("openSUSE Tumbleweed", "Suse"),
        "sles" => ("SLES", "Suse"),
        _ => (name.split_whitespace().next().unwrap_or("Linux"), "Linux"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "nodename=pi-1.lan\nsystem=Linux\nmachine=aarch64\nfqdn=pi-1.lan\nuser_id=pi\nuser_uid=1000\n\
        passwd=pi:x:1000:1000:Pi,,,:/home/pi:/bin/bash\nvcpus=4\ndebian_version=12.5\npackage_manager=apt-get\ninit=systemd\n\
        date=2026 11 22 06 30 01 +0000 UTC 1795329001 7 Sunday 0 46\nutc=2026-11-22T06:30:01\n\
        route=1.1.1.1 via 10.0.0.1 dev eth0 src 10.0.0.5 uid 1000\naddresses=127.0.0.1/8 10.0.0.5/24 \n\
        [meminfo]\nMemTotal:        8000000 kB\n[os-release]\nNAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n\
        VERSION_CODENAME=bookworm\n[env]\nHOME=/home/pi\nMULTI=a\nb c\nPATH=/bin\n";

    #[test]
    fn facts_have_ansibles_names() {
        let facts = parse(OUTPUT);
        let expected = [
            ("hostname", json!("pi-1")),
            ("domain", json!("lan")),
            ("architecture", json!("aarch64")),
            ("user_uid", json!(1000)),
            ("user_dir", json!("/home/pi")),
            ("processor_vcpus", json!(4)),
            ("memtotal_mb", json!(7812)),
            ("distribution", json!("Debian")),
            ("distribution_version", json!("12.5")),
            ("distribution_major_version", json!("12")),
            ("os_family", json!("Debian")),
            ("pkg_mgr", json!("apt")),
            ("all_ipv4_addresses", json!(["10.0.0.5"])),
        ];
        for (name, value) in expected {
            assert_eq!(facts[&format!("ansible_{name}")], value, "{name}");
        }
        assert_eq!(facts["ansible_env"]["MULTI"], "a\nb c");
        assert_eq!(facts["ansible_default_ipv4"]["address"], "10.0.0.5");
        assert_eq!(facts["ansible_date_time"]["date"], "2026-11-22");
    }

    #[test]
    fn every_fact_that_is_given_is_known_by_name() {
        let mut given: Vec<_> = parse(OUTPUT).keys().map(|name| name["ansible_".len()..].to_owned()).collect();
        given.sort();
        assert_eq!(given, super::super::names::NAMES);
    }

    proptest::proptest! {
        #[test]
        fn any_output_is_read(output in "\\PC{0,200}") {
            parse(&output);
        }
    }
}
