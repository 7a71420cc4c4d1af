//! Deployments into a sandbox of their own: real control plane, real Helm, simulated nodes. The scenarios share one
//! sandbox and run one after the other; each begins with the services uninstalled.

mod again;
mod engines;
mod failures;
mod helm4;
mod interrupted;
mod too_small;
mod world;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use std::sync::Arc;
use world::World;

type Scenario = fn(&World) -> Result<()>;

const SCENARIOS: [(&str, Scenario); 12] = [
    ("a_first_deployment_is_verified", again::first),
    ("a_second_deployment_touches_nothing", again::second),
    ("both_engines_make_the_same_releases", engines::same_releases),
    ("helm_4_deploys_as_helm_3_does", helm4::deploys),
    ("a_chart_that_helm_refuses_is_quoted", failures::helm_refuses),
    ("an_unknown_service_names_the_nearest", failures::unknown_service),
    ("a_secret_on_the_command_line_is_refused", failures::secret_argument),
    ("a_rollout_that_takes_too_long_says_so", failures::timeout),
    ("check_mode_changes_nothing", failures::check_mode),
    ("ctrl_c_ends_it_and_it_can_be_run_again", interrupted::ctrl_c),
    ("killed_at_ten_points_it_recovers", interrupted::killed),
    ("on_small_nodes_each_says_why_not", too_small::each_node_says_why),
];

fn main() {
    let mut arguments = Arguments::from_args();
    // One sandbox for all, and each scenario changes it.
    arguments.test_threads = Some(1);
    let world =
        if arguments.list { None } else { Some(World::new().map(Arc::new).map_err(|error| format!("{error:#}"))) };
    let trials = SCENARIOS.map(|(name, scenario)| {
        let world = world.clone();
        Trial::test(name, move || {
            let world = world.unwrap_or_else(|| Err("only listed".to_owned())).map_err(Failed::from)?;
            world.reset().and_then(|()| scenario(&world)).map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.into());
    // Ends the sandbox before the process ends.
    drop(world);
    conclusion.exit();
}
