//! Which facts there are.

/// The facts that are gathered, without `ansible_`, in alphabetical order.
pub(crate) const NAMES: &[&str] = &[
    "all_ipv4_addresses",
    "architecture",
    "date_time",
    "default_ipv4",
    "distribution",
    "distribution_major_version",
    "distribution_release",
    "distribution_version",
    "domain",
    "effective_group_id",
    "effective_user_id",
    "env",
    "fqdn",
    "hostname",
    "kernel",
    "kernel_version",
    "machine",
    "memfree_mb",
    "memtotal_mb",
    "nodename",
    "os_family",
    "pkg_mgr",
    "processor_nproc",
    "processor_vcpus",
    "real_group_id",
    "real_user_id",
    "service_mgr",
    "swapfree_mb",
    "swaptotal_mb",
    "system",
    "user_dir",
    "user_gecos",
    "user_gid",
    "user_id",
    "user_shell",
    "user_uid",
];

/// Whether a variable is a fact: `ansible_hostname`, …
pub(crate) fn is_fact(variable: &str) -> bool {
    variable.strip_prefix("ansible_").is_some_and(|name| NAMES.binary_search(&name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted());
        assert!(is_fact("ansible_hostname"));
        assert!(!is_fact("ansible_host"));
        assert!(!is_fact("hostname"));
    }
}
