//! Prints how fast we are beside peers: `make bench`, or `cargo bench --package bench -- [--rounds N] [--only WORD]`.

use anyhow::{Context, Result, bail};
use bench::{
    Machine, Measured, Peer, Samples, Table, Work, catalogue, catalogue_verdict, measure, sandbox, startup, table,
    vault, vault_verdict, verdicts,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the trace that anyhow would add: what a peer said is long enough.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let Some(machine) = Machine::new()? else { return Ok(()) };
    let works: Vec<Work> = Work::all().into_iter().filter(|work| options.wants(work.name)).collect();
    if !works.is_empty() {
        rows(&machine, &options, works)?;
    }
    if options.wants("start") {
        print_startup(&machine)?;
    }
    if options.wants("vault") {
        print_vault(&machine, &options)?;
    }
    if options.wants("sandbox") {
        print_sandbox();
    }
    if options.wants("catalogue") {
        print_catalogue();
    }
    Ok(())
}

/// The rows of the table, and what is asked of them.
fn rows(machine: &Machine, options: &Options, works: Vec<Work>) -> Result<()> {
    let peers = peers(options);
    let mut rows = Vec::new();
    for work in works {
        let measured = measure(machine, &work, &peers, options.rounds, |what| eprintln!("bench: {what}"))?;
        print_row(&work, &measured);
        rows.push((work, measured));
    }
    print_summary(&rows, &peers);
    Ok(())
}

/// The command line.
struct Options {
    rounds: usize,
    only: Option<String>,
    quick: bool,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { rounds: 3, only: None, quick: false };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--rounds" => options.rounds = arguments.next().context("`--rounds` takes a number")?.parse()?,
                "--only" => options.only = Some(arguments.next().context("`--only` takes a word of a row's name")?),
                "--quick" => options.quick = true,
                // Cargo's own.
                "--bench" => {}
                other => bail!("`{other}` is not an option: --rounds N, --only WORD, --quick (no slow peers)"),
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| name.contains(only))
    }
}

/// Those that can be measured; says why the others can't.
fn peers(options: &Options) -> Vec<Peer> {
    let mut peers = Vec::new();
    for peer in Peer::ALL {
        match peer.version() {
            _ if options.quick && peer.is_slow() => println!("{}: not measured: --quick", peer.name()),
            Ok(version) => {
                println!("{} {version}", peer.name());
                peers.push(peer);
            }
            Err(why) => println!("{}: not measured: {why}", peer.name()),
        }
    }
    peers
}

fn print_row(work: &Work, measured: &Measured) {
    let mut lines = Table::new([work.name, "median", "best", "× cluster", "unchanged", "× cluster", "runs"]);
    let again = |peer: Peer| measured.again.get(&peer).and_then(bench::Samples::median);
    for (peer, samples) in &measured.first {
        let ratio = measured.ratio(*peer, Peer::Ours);
        let ratio_again = again(*peer).zip(again(Peer::Ours)).map(|(one, ours)| one.as_secs_f64() / ours.as_secs_f64());
        lines.add([
            peer.name().to_owned(),
            samples.median().map_or_else(none, table::seconds),
            samples.best().map_or_else(none, table::seconds),
            ratio.map_or_else(none, table::times),
            again(*peer).map_or_else(none, table::seconds),
            ratio_again.map_or_else(none, table::times),
            samples.count().to_string(),
        ]);
    }
    println!("\n{}", lines.render());
}

fn print_summary(rows: &[(Work, Measured)], peers: &[Peer]) {
    let mut lines = Table::new(std::iter::once("playbook").chain(peers.iter().map(|peer| peer.name())));
    for (work, measured) in rows {
        let cell = |peer: &Peer| measured.median(*peer).map_or_else(none, table::seconds);
        lines.add(std::iter::once(work.name.to_owned()).chain(peers.iter().map(cell)));
    }
    println!("{}", lines.render());
    println!("{}", verdicts(rows).render());
}

fn print_startup(machine: &Machine) -> Result<()> {
    let (ours, theirs) = startup(machine)?;
    print_pair("start-up", [("cluster --help (aim: 10 ms)", &ours), ("ansible --version", &theirs)]);
    Ok(())
}

fn print_vault(machine: &Machine, options: &Options) -> Result<()> {
    let (ours, theirs) = vault(machine, options.rounds)?;
    print_pair("vault, 1 MB", [("cluster vault view", &ours), ("ansible-vault view", &theirs)]);
    println!("{}", vault_verdict(&ours, &theirs).render());
    Ok(())
}

fn print_pair(title: &str, pair: [(&str, &Samples); 2]) {
    let mut lines = Table::new([title, "median", "best"]);
    for (name, samples) in pair {
        let shown = |duration: Option<_>| duration.map_or_else(none, table::seconds);
        lines.add([name.to_owned(), shown(samples.median()), shown(samples.best())]);
    }
    println!("{}", lines.render());
}

fn print_sandbox() {
    match sandbox() {
        Ok(times) => {
            let mut lines = Table::new(["sandbox", "time"]);
            times.into_iter().for_each(|(name, duration)| lines.add([name.to_owned(), table::seconds(duration)]));
            println!("{}", lines.render());
        }
        Err(why) => println!("sandbox: not measured: {why:#}"),
    }
}

fn print_catalogue() {
    match catalogue() {
        Ok(measured) => {
            let mut lines = Table::new(["catalogue", "time"]);
            lines.add(["cluster deploy --all".to_owned(), table::seconds(measured.ours)]);
            lines.add(["helm upgrade --install --wait, one after the other".to_owned(), table::seconds(measured.helm)]);
            println!("{}\n{}", lines.render(), catalogue_verdict(&measured).render());
        }
        Err(why) => println!("catalogue: not measured: {why:#}"),
    }
}

fn none() -> String {
    "–".to_owned()
}
