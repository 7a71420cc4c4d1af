//! Scenarios that share one sandbox: brought up once, ended before the process ends, one scenario after the other.

use crate::World;
use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::sync::Arc;

/// A name that says what holds, and the scenario that shows it.
pub type Scenario = (&'static str, fn(&World) -> Result<()>);

/// Runs them as a test binary. Each begins with nothing deployed.
pub fn run(scenarios: &[Scenario]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One sandbox for all, and each scenario changes it.
    arguments.test_threads = Some(1);
    let world = (!arguments.list).then(|| World::new().map(Arc::new).map_err(|error| format!("{error:#}")));
    let trials = scenarios.iter().map(|(name, scenario)| {
        let (world, scenario) = (world.clone(), *scenario);
        Trial::test(*name, move || {
            let world = world.unwrap_or_else(|| Err("only listed".to_owned())).map_err(Failed::from)?;
            world.reset().and_then(|()| scenario(&world)).map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    conclusion.exit_code()
}
