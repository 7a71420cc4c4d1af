//! Every rule, one file each.

mod architectures;
mod capabilities;
mod chart_files;
mod default_passwords;
mod edge_configurations;
mod encrypted_files;
mod exceptions;
mod host_namespaces;
mod host_paths;
mod image_digest;
mod image_version;
mod labels;
mod network_policy;
mod plaintext_secrets;
mod privilege_escalation;
mod probes;
mod read_only_root;
mod readme;
mod requests_and_limits;
mod run_as_non_root;
mod schema_comment;
mod seccomp_profile;
mod selectors;
mod service_account_token;
mod service_name;
mod service_ports;
mod shared_names;
mod storage_class;
mod unique_names;
mod vault_example;
mod verify_targets;
mod volumes;

use crate::lint::Rule;

/// Every rule on files and manifests, in the order in which they are tried: files, images, pods, what belongs together; at last the
/// exceptions.
pub const RULES: &[&Rule] = &[
    &readme::RULE,
    &schema_comment::RULE,
    &chart_files::RULE,
    &edge_configurations::RULE,
    &vault_example::RULE,
    &encrypted_files::RULE,
    &default_passwords::RULE,
    &plaintext_secrets::RULE,
    &image_version::RULE,
    &image_digest::RULE,
    &architectures::RULE,
    &requests_and_limits::RULE,
    &probes::RULE,
    &run_as_non_root::RULE,
    &seccomp_profile::RULE,
    &read_only_root::RULE,
    &privilege_escalation::RULE,
    &capabilities::RULE,
    &host_namespaces::RULE,
    &host_paths::RULE,
    &service_account_token::RULE,
    &network_policy::RULE,
    &labels::RULE,
    &selectors::RULE,
    &service_ports::RULE,
    &service_name::RULE,
    &volumes::RULE,
    &unique_names::RULE,
    &storage_class::RULE,
    &shared_names::RULE,
    &verify_targets::RULE,
    &exceptions::RULE,
];
