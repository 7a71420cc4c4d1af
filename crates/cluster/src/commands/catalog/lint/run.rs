//! All rules over all services: Helm on every core, Ansible's programs beside it.

use super::helm::Helm;
use super::outcome::Outcomes;
use super::program::Said;
use super::{
    Args, ansible_lint, ansible_syntax, api_objects, catalog_files, helm_lint, native_playbook, parallel, render,
    report, rule,
};
use crate::context::Context;
use crate::exit::{Code, Failure, Result, boxed};
use camino::Utf8PathBuf;
use catalog::lint::{
    Configuration, Finding, Images, Manifests, NotRun, OBJECT_NAMES, Rendered, Report, Subject, lint, object_names,
};
use catalog::{Catalog, Service};
use diagnostic::Exit;
use kubernetes::DryRun;
use std::sync::Arc;
use tokio::runtime::Handle;

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    if args.list {
        report::list(&rule::all(), context);
        return Ok(Code::DONE);
    }
    let root = context.root()?;
    let catalog = match Catalog::load(&root) {
        Ok(catalog) => catalog,
        Err(catalog::Error::Mistakes(mistakes)) => {
            let mut outcomes = Outcomes::default();
            outcomes.shared(catalog_files::findings(&mistakes));
            report::tell(&outcomes, context);
            return Ok(Exit::Failed.into());
        }
        Err(error) => return Err(boxed(error)),
    };
    let services = chosen(&catalog, &args.services)?;
    let sandbox = context.sandbox()?;
    let Some(program) = sandbox.tools().find("helm") else {
        return Err(Failure::usage("Helm was not found").hinted("run `make tools`").into());
    };
    let images = Arc::new(Images::load(&root).map_err(boxed)?);
    let subjects = services.iter().map(|service| Subject::read(service, Arc::clone(&images)));
    let subjects = subjects.collect::<std::result::Result<Vec<_>, _>>().map_err(boxed)?;
    let runtime = context.runtime()?;
    let server = runtime.block_on(api_objects::reach(&sandbox));
    let helm = Helm { program, root: root.clone() };
    let outcomes = std::thread::scope(|scope| {
        let ansible = scope.spawn(|| {
            let mut outcomes = Outcomes::default();
            ansible_syntax::check(&root, &services, &mut outcomes);
            ansible_lint::check(&root, &services, &mut outcomes);
            outcomes
        });
        let mut outcomes = charts(&helm, subjects, &server, runtime.handle());
        outcomes.extend(ansible.join().expect("no rule panics"));
        outcomes
    });
    let tally = report::tell(&outcomes, context);
    let failed = tally.findings > 0 || (args.strict && tally.not_run > 0);
    Ok(if failed { Exit::Failed.into() } else { Code::DONE })
}

fn chosen<'a>(catalog: &'a Catalog, names: &[String]) -> Result<Vec<&'a Service>> {
    if names.is_empty() {
        return Ok(catalog.iter().collect());
    }
    let mut services = catalog.order(names).map_err(boxed)?.into_iter().flatten().collect::<Vec<_>>();
    services.dedup_by(|a, b| a.name == b.name);
    Ok(services)
}

/// One run of Helm.
struct Job<'a> {
    subject: &'a Subject,
    step: Step,
    /// The configuration's name, whether it is what people get, and its values file.
    configuration: (String, bool, Option<Utf8PathBuf>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Lint,
    Template,
    Second,
}

type Done = std::result::Result<Said, String>;

/// Everything but Ansible.
fn charts(
    helm: &Helm,
    mut subjects: Vec<Subject>,
    server: &std::result::Result<DryRun, String>,
    runtime: &Handle,
) -> Outcomes {
    let jobs: Vec<_> = subjects.iter().flat_map(jobs).collect();
    let said = parallel::each(jobs.iter().collect(), |job| run_helm(helm, job));
    let mut rendered = Vec::new();
    let mut all = jobs.iter().zip(said).peekable();
    for subject in &subjects {
        let mut own = Vec::new();
        while let Some(next) = all.next_if(|(job, _)| job.subject.service.name == subject.service.name) {
            own.push(next);
        }
        rendered.push(assemble(subject, own));
    }
    drop(all);
    drop(jobs);
    let mut reports = Vec::new();
    for (subject, (rendered, report)) in subjects.iter_mut().zip(rendered) {
        subject.rendered = rendered;
        reports.push(report);
    }
    for ((subject, report), findings) in subjects.iter().zip(&mut reports).zip(object_names(&subjects)) {
        match &subject.rendered {
            Rendered::Manifests(_) => report.take(OBJECT_NAMES, findings),
            Rendered::Missing(reason) => report.not_run.push(not_run(subject, OBJECT_NAMES, reason)),
        }
    }
    let items: Vec<_> = subjects.iter().zip(reports).collect();
    let reports = parallel::each(items, |(subject, mut report)| {
        api_objects::check(subject, server, runtime, &mut report);
        report.take(native_playbook::RULE.rule, native_playbook::findings(subject));
        (subject.service.name.to_string(), [report, lint(subject)])
    });
    let mut outcomes = Outcomes::default();
    for (service, parts) in reports {
        parts.into_iter().for_each(|report| outcomes.add(&service, report));
    }
    outcomes
}

fn jobs(subject: &Subject) -> Vec<Job<'_>> {
    let file = |name: &str, is_deployed: bool| match is_deployed {
        true => subject.service.values_file(),
        false => subject.service.chart_folder.join(name),
    };
    let files = subject.configurations().into_iter().map(|(name, is_deployed)| {
        let file = file(&name, is_deployed);
        (name, is_deployed, Some(file))
    });
    let default = ("default".to_owned(), true, None);
    let mut jobs = vec![Job { subject, step: Step::Second, configuration: default.clone() }];
    for configuration in std::iter::once(default).chain(files) {
        jobs.push(Job { subject, step: Step::Lint, configuration: configuration.clone() });
        jobs.push(Job { subject, step: Step::Template, configuration });
    }
    jobs
}

fn run_helm(helm: &Helm, job: &Job<'_>) -> Done {
    let service = &job.subject.service;
    let values = job.configuration.2.as_deref();
    match job.step {
        Step::Lint => helm.lint(service, values),
        Step::Template => helm.template(service, &service.release_name(), values),
        Step::Second => helm.template(service, Manifests::SECOND, values),
    }
}

/// What Helm said of a service, as manifests and findings.
fn assemble(subject: &Subject, said: Vec<(&Job<'_>, Done)>) -> (Rendered, Report) {
    let (mut lints, mut renders): (Vec<Finding>, Vec<Finding>) = (Vec::new(), Vec::new());
    let mut manifests = Manifests::default();
    let mut second_refused = None;
    for (job, done) in said {
        let said = match done {
            Ok(said) => said,
            Err(reason) => return nothing(subject, &reason),
        };
        if render::is_upstream_missing(subject, &said.stderr) {
            return nothing(subject, "a chart that it depends on comes from a repository, and is not here");
        }
        match job.step {
            Step::Lint => lints.extend(helm_lint::findings(subject, &job.configuration.0, &said)),
            Step::Second => match configuration(subject, job, &said) {
                Ok(configuration) => manifests.second = configuration.objects,
                Err(finding) => second_refused = Some(finding),
            },
            Step::Template => match configuration(subject, job, &said) {
                Ok(configuration) => manifests.configurations.push(configuration),
                Err(finding) => renders.push(finding),
            },
        }
    }
    let mut report = Report::default();
    report.take(helm_lint::RULE.rule, lints);
    let has_default = manifests.configurations.iter().any(|configuration| configuration.name == "default");
    // Where it does not render under its own name either, that says it already.
    if let Some(mut finding) = second_refused.filter(|_| has_default) {
        finding.message = format!("under another release's name, `{}`: {}", Manifests::SECOND, finding.message);
        renders.push(finding);
    }
    report.take(render::RULE.rule, renders);
    match has_default {
        true => (Rendered::Manifests(manifests), report),
        false => (Rendered::Missing("the chart does not render with its defaults".to_owned()), report),
    }
}

fn configuration(subject: &Subject, job: &Job<'_>, said: &Said) -> std::result::Result<Configuration, Finding> {
    let (name, is_deployed, _) = &job.configuration;
    let files = if *is_deployed { &subject.playbook } else { &subject.chart };
    render::configuration(subject, name, *is_deployed, files.text(name), said)
}

fn nothing(subject: &Subject, reason: &str) -> (Rendered, Report) {
    let not_run = [helm_lint::RULE, render::RULE].map(|rule| not_run(subject, rule.rule, reason)).to_vec();
    (Rendered::Missing(reason.to_owned()), Report { not_run, ..Report::default() })
}

fn not_run(subject: &Subject, rule: &'static str, reason: &str) -> NotRun {
    NotRun { rule, service: subject.service.name.to_string(), reason: reason.to_owned() }
}
