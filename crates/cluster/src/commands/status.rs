//! `cluster status`

use crate::connection::{Connection, answered};
use crate::context::Context;
use crate::exit::{Code, Result, boxed};
use crate::interrupt;
use crate::output::table;
use catalog::Service;
use kubernetes::{Cluster, Progress, Workload};
use serde::Serialize;

/// Show what is deployed, and whether it is up.
///
/// Examples:
///   cluster status --target sandbox
///   cluster status ollama
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Only this service, with its pods and addresses
    #[arg(value_name = "SERVICE")]
    service: Option<String>,

    /// Ask for the password that sudo wants on the controller
    #[arg(short = 'K', long)]
    ask_become_pass: bool,
}

/// A service's state.
#[derive(Serialize)]
struct State {
    service: String,
    status: String,
    revision: Option<u32>,
    chart: Option<String>,
    workloads: Vec<WorkloadState>,
    addresses: Vec<kubernetes::Address>,
    updated: Option<String>,
}

#[derive(Serialize)]
struct WorkloadState {
    workload: String,
    #[serde(flatten)]
    progress: Progress,
    pods: Vec<kubernetes::PodPlace>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Code> {
    let catalog = context.catalog()?;
    let services: Vec<&Service> = match &args.service {
        Some(name) => vec![catalog.find(name).map_err(boxed)?],
        None => catalog.iter().collect(),
    };
    let inventory = context.inventory()?;
    let target = context.target()?;
    context.runtime()?.block_on(async {
        let cancel = interrupt::token();
        let work = async {
            let connection = Connection::open(context, &inventory, args.ask_become_pass, None).await?;
            let mut states = Vec::new();
            for service in services {
                states.push(answered(target, state(&connection.cluster, service)).await?);
            }
            show(context, &states, args.service.is_some());
            connection.close().await;
            Ok(Code::DONE)
        };
        tokio::select! {
            ended = work => ended,
            () = cancel.cancelled() => Err(interrupt::error(&context.again())),
        }
    })
}

async fn state(cluster: &Cluster, service: &Service) -> Result<State> {
    let release = cluster.release(&service.namespace, &service.release_name()).await.map_err(boxed)?;
    let Some(release) = release else {
        return Ok(State {
            service: service.name.to_string(),
            status: "not deployed".to_owned(),
            revision: None,
            chart: None,
            workloads: Vec::new(),
            addresses: Vec::new(),
            updated: None,
        });
    };
    let mut workloads = Vec::new();
    for workload in release.workloads().map_err(boxed)? {
        workloads.push(workload_state(cluster, &workload).await?);
    }
    Ok(State {
        service: service.name.to_string(),
        status: in_a_word(&release, &workloads),
        revision: Some(release.revision),
        chart: Some(release.chart.clone()),
        workloads,
        addresses: kubernetes::addresses(cluster, &release).await.map_err(boxed)?,
        updated: Some(release.updated),
    })
}

async fn workload_state(cluster: &Cluster, workload: &Workload) -> Result<WorkloadState> {
    let (progress, pods) = cluster.progress(workload).await.map_err(boxed)?;
    Ok(WorkloadState { workload: workload.to_string(), progress, pods })
}

/// Helm's word while Helm is not done, else whether all pods are ready.
fn in_a_word(release: &kubernetes::Release, workloads: &[WorkloadState]) -> String {
    match release.status {
        kubernetes::ReleaseStatus::Deployed if workloads.iter().all(|one| one.progress.done) => "ready".to_owned(),
        kubernetes::ReleaseStatus::Deployed => "not ready".to_owned(),
        status => status.as_str().to_owned(),
    }
}

fn show(context: &Context, states: &[State], in_detail: bool) {
    if context.output.is_json() {
        states.iter().for_each(|state| context.output.json(state));
        return;
    }
    let rows = states.iter().map(|state| {
        let ready: i32 = state.workloads.iter().map(|one| one.progress.ready).sum();
        let wanted: i32 = state.workloads.iter().map(|one| one.progress.wanted).sum();
        let dash = || "-".to_owned();
        vec![
            state.service.clone(),
            state.status.clone(),
            if state.workloads.is_empty() { dash() } else { format!("{ready}/{wanted}") },
            state.revision.map_or_else(dash, |revision| revision.to_string()),
            state.chart.clone().unwrap_or_else(dash),
            state.updated.as_deref().map_or_else(dash, |updated| updated.chars().take(19).collect()),
        ]
    });
    let mut text = table(&["service", "status", "ready", "revision", "chart", "updated"], rows);
    if in_detail {
        states.iter().for_each(|state| text.push_str(&detail(state)));
    }
    context.output.data(&text);
}

fn detail(state: &State) -> String {
    let pods = state.workloads.iter().flat_map(|workload| {
        workload.pods.iter().map(|pod| {
            let node = pod.node.clone().unwrap_or_else(|| "(no node)".to_owned());
            vec![pod.pod.clone(), workload.workload.clone(), node, if pod.ready { "yes" } else { "no" }.to_owned()]
        })
    });
    let addresses = state.addresses.iter().map(|address| vec![&address.name, &address.kind, &address.address]);
    let mut text = format!("\n\n{}", table(&["pod", "workload", "node", "ready"], pods));
    if !state.addresses.is_empty() {
        text.push_str(&format!("\n\n{}", table(&["name", "kind", "address"], addresses)));
    }
    text
}
