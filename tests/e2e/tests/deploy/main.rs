//! Deployments into a sandbox of their own: real control plane, real Helm, simulated nodes.

mod again;
mod all;
mod engines;
mod failures;
mod helm4;
mod interrupted;
mod new;
mod silent;
mod too_small;
mod upstream;
mod vault;
mod watch;

use e2e::Scenario;
use std::process::ExitCode;

const SCENARIOS: [Scenario; 30] = [
    ("a_first_deployment_is_verified", again::first),
    ("a_second_deployment_touches_nothing", again::second),
    ("both_engines_make_the_same_releases", engines::same_releases),
    ("helm_4_deploys_as_helm_3_does", helm4::deploys),
    ("a_chart_that_helm_refuses_is_quoted", failures::helm_refuses),
    ("a_node_selector_that_nothing_meets_is_named", failures::unschedulable),
    ("an_unknown_service_names_the_nearest", failures::unknown_service),
    ("a_secret_on_the_command_line_is_refused", failures::secret_argument),
    ("a_rollout_that_takes_too_long_says_so", failures::timeout),
    ("check_mode_changes_nothing", failures::check_mode),
    ("ctrl_c_ends_it_and_it_can_be_run_again", interrupted::ctrl_c),
    ("ctrl_c_of_several_ends_each", interrupted::ctrl_c_of_several),
    ("a_silent_etcd_is_told", silent::etcd),
    ("killed_at_ten_points_it_recovers", interrupted::killed),
    ("secrets_stand_nowhere_but_in_the_cluster", vault::nothing_leaks),
    ("secret_values_are_not_shown", vault::encrypted_values_are_not_shown),
    ("a_changed_secret_reaches_the_pods", vault::changes_reach_the_pods),
    ("mistakes_about_secrets_come_first", vault::mistakes_come_first),
    ("the_whole_catalogue_comes_up_and_is_left_alone", all::twice),
    ("upstream_charts_are_wired", upstream::wired),
    ("upstream_charts_are_the_same_by_both_engines", upstream::both_engines),
    ("upstream_definitions_come_before_the_release", upstream::definitions_are_upgraded),
    ("upstream_archives_that_changed_are_refused", upstream::another_digest_is_refused),
    ("upstream_charts_come_from_the_cache", upstream::without_network),
    ("a_new_store_deploys_untouched", new::a_store),
    ("a_new_application_deploys_untouched", new::an_application),
    ("a_new_vaulted_service_deploys_untouched", new::a_vaulted_one),
    ("a_new_service_of_another_chart_deploys_untouched", new::a_chart_of_others),
    ("new_services_keep_every_rule", new::every_rule_is_kept),
    ("on_small_nodes_each_says_why_not", too_small::each_node_says_why),
];

fn main() -> ExitCode {
    e2e::run(&SCENARIOS)
}
