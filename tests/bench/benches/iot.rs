//! Prints how the IoT data path does beside Telegraf: `make bench`, or `cargo bench --package bench --bench iot -- [--only WORD]`
//! with one of `queue`, `steady`, `away`, `idle`, and `ours` for no peer.

use anyhow::Result;
use bench::iot::{Figures, Idle, Peer, away, drain, idle, management_idle, steady, take_second};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wants = |name: &str| words.iter().all(|word| word == "ours") || words.iter().any(|word| word == name);
    if let Err(why) = take_second() {
        println!("the IoT data path: not measured: {why}");
        return Ok(());
    }
    let ours_only = words.iter().any(|word| word == "ours");
    // The last two have no counterpart in Telegraf.
    let all = [Peer::Ours, Peer::Telegraf, Peer::OursWithReceipts, Peer::OursEverySecond];
    let peers = all.into_iter().filter(|peer| !ours_only || *peer != Peer::Telegraf);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(peers, wants))?;
    println!("{}{}", figures.tables(), figures.verdicts().render());
    Ok(())
}

async fn measure(peers: impl Iterator<Item = Peer>, wants: impl Fn(&str) -> bool) -> Result<Figures> {
    let mut figures = Figures::default();
    for peer in peers {
        eprintln!("bench: {}", peer.name());
        if wants("queue") {
            figures.drained.push((peer, drain(peer).await?));
        }
        if wants("steady") {
            figures.steady.push((peer, steady(peer).await?));
        }
        if !matches!(peer, Peer::Ours | Peer::Telegraf) {
            continue;
        }
        if wants("away") {
            figures.away.push((peer, away(peer).await?));
        }
        if wants("idle") {
            let (ready_after, used) = idle(peer).await?;
            figures.idle.push(Idle { name: peer.name(), ready_after, used, ours: peer == Peer::Ours });
        }
    }
    if wants("idle") {
        let (ready_after, used) = management_idle().await?;
        figures.idle.push(Idle { name: "device-management", ready_after, used, ours: true });
    }
    Ok(figures)
}
