//! Plays: which hosts they run on, in which batches, and with which variables.

use super::batches::batches;
use super::flow::Flow;
use super::include_vars;
use super::templates::{boolean, text};
use super::variables::{File, Host, PlayVariables, Scope};
use super::{Run, paths};
use crate::event::Event;
use crate::load::{Play, fields, sources};
use crate::{Error, Playbook};
use diagnostic::Mistake;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, RwLock};
use template::Value;
use yaml::Node;

/// Runs all plays, until one ends everything.
pub(crate) async fn all(run: &Run<'_>, playbook: &Playbook) -> Result<(), Error> {
    for play in &playbook.plays {
        run.world.enter(&play.directory);
        if !one(run, play).await? {
            break;
        }
    }
    Ok(())
}

/// Runs a play; whether the next one may follow.
async fn one(run: &Run<'_>, play: &Play) -> Result<bool, Error> {
    let plain = Arc::new(variables(run, play, &[], &[], HashMap::new()));
    let templates = run.templates(&run.engine, Scope::of_play(&run.world, &plain));
    let name = match &play.name {
        Some(node) => templates.render_now(node).map_or_else(|_| play.title(), |value| text(&value)),
        None => pattern(run, play, &plain)?,
    };
    let title = templates.veil.text(&name);
    let hosts = hosts(run, play, &plain)?;
    if hosts.is_empty() {
        run.tell(Event::NoHosts { play: title });
        return Ok(true);
    }
    let all: Vec<String> = hosts.iter().map(|host| host.name.clone()).collect();
    let gathers = flag(run, &plain, play.gather_facts.as_ref(), "gather_facts")?.unwrap_or(true);
    let settings = Settings {
        force_handlers: flag(run, &plain, play.force_handlers.as_ref(), "force_handlers")?.unwrap_or(false)
            || run.options.force_handlers,
        max_fail_percentage: percentage(run, &plain, play.max_fail_percentage.as_ref())?,
    };
    let serial = play.serial.as_ref().map(|node| render(run, &plain, node)).transpose()?;
    for batch in batches(&hosts, serial.as_ref()) {
        for host in &batch {
            run.world.table(host)?;
            host.set_gathers(gathers && host.memory().facts.is_none());
        }
        let names: Vec<String> = batch.iter().map(|host| host.name.clone()).collect();
        let files = vars_files(run, play, &plain, &batch)?;
        let variables = Arc::new(PlayVariables { name: name.clone(), ..variables(run, play, &all, &names, files) });
        let left: Vec<_> = batch.iter().filter(|host| !is_lost(run, &host.name)).cloned().collect();
        let hosts = left.iter().map(|host| host.name.clone()).collect();
        run.tell(Event::PlayStarted { play: title.clone(), hosts });
        let newly_lost = left.len();
        let flow = Flow::new(run, play, variables, left, &settings);
        let end = flow.sections().await?;
        if end.interrupted {
            run.outcome().interrupted = true;
            return Ok(false);
        }
        if end.breaks_run || (end.lost == newly_lost && newly_lost == batch.len()) {
            return Ok(false);
        }
        if end.ends_play {
            break;
        }
    }
    Ok(true)
}

/// What is settled for a whole play.
pub(crate) struct Settings {
    pub(crate) force_handlers: bool,
    pub(crate) max_fail_percentage: Option<f64>,
}

fn is_lost(run: &Run<'_>, host: &str) -> bool {
    let outcome = run.outcome();
    outcome.failed.contains(host) || outcome.unreachable.contains(host)
}

fn variables(
    run: &Run<'_>,
    play: &Play,
    all: &[String],
    batch: &[String],
    files: HashMap<String, Arc<Vec<File>>>,
) -> PlayVariables {
    let lost = all.iter().filter(|host| is_lost(run, host)).cloned().collect::<HashSet<_>>();
    PlayVariables {
        level: Arc::clone(&play.level),
        name: play.title(),
        playbook_directory: paths::absolute(&play.directory).into_string(),
        all: all.to_vec(),
        batch: batch.to_vec(),
        removed: RwLock::new(lost),
        files,
    }
}

fn render(run: &Run<'_>, play: &Arc<PlayVariables>, node: &Node) -> Result<Value, Error> {
    let templates = run.templates(&run.engine, Scope::of_play(&run.world, play));
    templates.render_now(node).map_err(|error| templates.veil.mistake(&Mistake::of(&error)).into())
}

fn flag(run: &Run<'_>, play: &Arc<PlayVariables>, node: Option<&Node>, keyword: &str) -> Result<Option<bool>, Error> {
    let Some(node) = node else { return Ok(None) };
    match render(run, play, node)? {
        Value::Omit => Ok(None),
        value => match boolean(&value) {
            Some(flag) => Ok(Some(flag)),
            None => {
                Err(Mistake::at(node.position.clone(), format!("`{keyword}` takes a boolean, not `{}`", text(&value)))
                    .into())
            }
        },
    }
}

fn percentage(run: &Run<'_>, play: &Arc<PlayVariables>, node: Option<&Node>) -> Result<Option<f64>, Error> {
    let Some(node) = node else { return Ok(None) };
    let value = text(&render(run, play, node)?);
    let number = value.trim().trim_end_matches('%').parse().ok();
    number.map(Some).ok_or_else(|| {
        Mistake::at(node.position.clone(), format!("`max_fail_percentage` takes a number, not `{value}`")).into()
    })
}

/// The host pattern, rendered.
fn pattern(run: &Run<'_>, play: &Play, plain: &Arc<PlayVariables>) -> Result<String, Error> {
    let value = render(run, plain, &play.hosts)?;
    let words: Vec<String> = match &value {
        Value::List(items) | Value::Tuple(items) => items.iter().map(text).collect(),
        other => vec![text(other)],
    };
    match words.iter().any(|word| word.trim().is_empty()) || words.is_empty() {
        true => Err(Mistake::at(play.hosts.position.clone(), "`hosts` gives no host pattern").into()),
        false => Ok(words.join(",")),
    }
}

fn hosts(run: &Run<'_>, play: &Play, plain: &Arc<PlayVariables>) -> Result<Vec<Arc<Host>>, Error> {
    let pattern = pattern(run, play, plain)?;
    let selection = run.world.inventory().select(&pattern, run.options.limit.as_deref())?;
    for warning in &selection.warnings {
        run.warn(&warning.message);
    }
    let mut names: Vec<String> = selection.hosts.iter().map(|host| host.as_str().to_owned()).collect();
    let order = play.order.as_ref().map(|node| render(run, plain, node)).transpose()?;
    match order.as_ref().and_then(Value::as_str) {
        Some("sorted") => names.sort(),
        Some("reverse_sorted") => names.sort_by(|a, b| b.cmp(a)),
        Some("reverse_inventory") => names.reverse(),
        _ => {}
    }
    Ok(names.iter().map(|name| run.world.host(name)).collect())
}

/// Reads `vars_files`: once when their paths are plain, for each host when they are templates.
fn vars_files(
    run: &Run<'_>,
    play: &Play,
    plain: &Arc<PlayVariables>,
    batch: &[Arc<Host>],
) -> Result<HashMap<String, Arc<Vec<File>>>, Error> {
    let mut files = HashMap::new();
    if play.vars_files.is_empty() {
        return Ok(files);
    }
    if !play.vars_files.iter().any(fields::holds_template) {
        let scope = Scope::of_play(&run.world, plain);
        files.insert(String::new(), Arc::new(read_files(run, play, &scope)?));
        return Ok(files);
    }
    for host in batch {
        let scope = Scope { host: Some(Arc::clone(host)), ..Scope::of_play(&run.world, plain) };
        files.insert(host.name.clone(), Arc::new(read_files(run, play, &scope)?));
    }
    Ok(files)
}

fn read_files(run: &Run<'_>, play: &Play, scope: &Scope) -> Result<Vec<File>, Error> {
    let folders = paths::with_kind(std::slice::from_ref(&play.directory), "vars");
    let templates = run.templates(&run.engine, scope.clone());
    let mut files = Vec::new();
    for entry in &play.vars_files {
        let mut found = None;
        for candidate in fields::list(entry) {
            let name = match templates.render_now(&candidate) {
                Ok(name) => text(&name),
                Err(error) if error.is_undefined() => {
                    run.warn(&format!("skipping vars_file item due to an undefined variable: {error}"));
                    found = Some(None);
                    break;
                }
                Err(error) => return Err(templates.veil.mistake(&Mistake::of(&error)).into()),
            };
            if let Some(path) = sources::find_file(&name, &folders) {
                found = Some(Some(path));
                break;
            }
        }
        if found.is_none() {
            let names: Vec<_> = fields::words(entry).into_iter().map(|name| format!("`{name}`")).collect();
            run.warn(&format!("{}: no file {} of variables", entry.position, names.join(", ")));
        }
        if let Some(Some(path)) = found {
            let variables = include_vars::read(&path, run).map_err(|fault| match fault.mistake {
                Some(mistake) => Error::from(mistake),
                None => Mistake::at(entry.position.clone(), format!("file `{path}` can not be read")).into(),
            })?;
            files.push(variables.into_iter().map(|(name, node)| (name, Arc::new(node))).collect());
        }
    }
    Ok(files)
}
