//! Several services: side by side, each as soon as what it needs is up.

use super::locate::Item;
use super::one::{self, Ended, Run};
use super::schedule::Schedule;
use crate::exit::{Error, Failure, Result};
use crate::output::{DeployEvent, Outcome, Tally};
use diagnostic::Exit;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeSet;
use std::time::Instant;

/// What has become of the services so far, by their places in the run.
struct State<'a> {
    items: &'a [Item],
    begun: BTreeSet<usize>,
    ended: BTreeSet<usize>,
    /// Those that failed, or were not run.
    lost: BTreeSet<usize>,
    tally: Tally,
    exit: Option<Exit>,
}

/// Deploys them all. After a failure nothing new is begun, unless the arguments say to keep going; then only what requires a lost
/// service is left out.
///
/// # Errors
/// At least one failed. Each failure was shown when it happened.
pub(super) async fn deploy(run: &Run<'_>, items: &[Item], schedule: &Schedule, parallel: usize) -> Result<()> {
    let began = Instant::now();
    let mut state = State::new(items);
    let mut running = FuturesUnordered::new();
    let is_shared = run.destination.is_shared_clone(items.len());
    loop {
        let may_begin = !run.cancel.is_cancelled() && (state.exit.is_none() || run.args.keep_going);
        // One service brings the clone that the others use: nobody else begins before one has come through with it.
        let brings_sources = !is_shared || state.ended.is_subset(&state.lost);
        let side_by_side = if is_shared && brings_sources { 1 } else { parallel };
        while may_begin && running.len() < side_by_side {
            let Some(place) = state.next(schedule, run) else { break };
            let output = run.context.output.of_service(items[place].service.name.as_str());
            running.push(async move { (place, one::deploy(run, &items[place], &output, brings_sources).await) });
        }
        match running.next().await {
            Some((place, ended)) => state.take(place, ended, run),
            None => break,
        }
    }
    state.finish(run, began)
}

impl<'a> State<'a> {
    fn new(items: &'a [Item]) -> Self {
        let (begun, ended, lost) = Default::default();
        Self { items, begun, ended, lost, tally: Tally::default(), exit: None }
    }

    /// The next service to begin. Those that can't because of what they require are passed over and told.
    fn next(&mut self, schedule: &Schedule, run: &Run<'_>) -> Option<usize> {
        loop {
            let place = schedule.ready(&self.begun, &self.ended).first().copied()?;
            self.begun.insert(place);
            let Some(required) = self.lost_requirement(place) else { return Some(place) };
            let reason = format!("requires {required}, which is not up");
            self.lose(place, Outcome::NotRun, reason, run);
        }
    }

    fn lost_requirement(&self, place: usize) -> Option<String> {
        let requires = &self.items[place].service.requires;
        let names = self.lost.iter().map(|lost| &self.items[*lost].service.name);
        names.filter(|name| requires.contains(name)).map(ToString::to_string).next()
    }

    fn take(&mut self, place: usize, ended: Result<Ended>, run: &Run<'_>) {
        match ended {
            Ok(Ended::Up(summary)) => {
                let outcome = if summary.changed { Outcome::Deployed } else { Outcome::Unchanged };
                self.count(place, outcome);
                self.ended.insert(place);
            }
            Ok(Ended::Played) => {
                self.count(place, if run.cancel.is_cancelled() { Outcome::Interrupted } else { Outcome::Checked });
                self.ended.insert(place);
            }
            Ok(Ended::NotRun { reason }) => self.lose(place, Outcome::NotRun, reason, run),
            // The command itself tells of it, once for all.
            Err(error) if error.exit() == Exit::Interrupted => {
                self.lose(place, Outcome::Interrupted, error.to_string(), run)
            }
            Err(error) => {
                let service = self.items[place].service.name.to_string();
                let output = run.context.output.of_service(&service);
                output.error(error.as_ref());
                output.event(DeployEvent::ServiceFailed { service });
                self.exit = Some(worse(self.exit, error.exit()));
                self.lose(place, Outcome::Failed, error.to_string(), run);
            }
        }
    }

    /// It is not up; what requires it will not be begun.
    fn lose(&mut self, place: usize, outcome: Outcome, reason: String, run: &Run<'_>) {
        self.count(place, outcome);
        self.lost.insert(place);
        self.ended.insert(place);
        if outcome == Outcome::NotRun {
            let service = self.items[place].service.name.to_string();
            let output = run.context.output.of_service(&service);
            output.event(DeployEvent::ServiceNotRun { service, reason });
        }
    }

    fn count(&mut self, place: usize, outcome: Outcome) {
        self.tally.add(self.items[place].service.name.to_string(), outcome);
    }

    fn finish(mut self, run: &Run<'_>, began: Instant) -> Result<()> {
        for place in (0..self.items.len()).filter(|place| !self.begun.contains(place)).collect::<Vec<_>>() {
            self.count(place, Outcome::NotBegun);
        }
        self.tally.duration_seconds = began.elapsed().as_secs_f64();
        let failed = self.tally.failed.join(", ");
        let left = self.tally.not_begun.len();
        run.context.output.event(DeployEvent::Finished(Box::new(self.tally)));
        match self.exit {
            Some(exit) if !run.cancel.is_cancelled() => Err(failure(exit, &failed, left, run)),
            _ => Ok(()),
        }
    }
}

fn failure(exit: Exit, failed: &str, left: usize, run: &Run<'_>) -> Error {
    let hint = match left {
        0 => format!("mend it and run `{}` again: what is up is not touched", run.context.again()),
        1 => "1 service was not begun; `--keep-going` goes on with what does not need a failed one".to_owned(),
        _ => format!("{left} services were not begun; `--keep-going` goes on with what does not need a failed one"),
    };
    Failure::new(exit, format!("not deployed: {failed}")).hinted(hint).into()
}

/// A failure outweighs a machine that is not reached, and that one a verification that failed.
fn worse(one: Option<Exit>, other: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Unverified => 0,
        Exit::Unreachable => 1,
        _ => 2,
    };
    one.filter(|one| rank(*one) >= rank(other)).unwrap_or(other)
}
