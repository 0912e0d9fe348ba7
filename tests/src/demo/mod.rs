//! The demonstration: one command that brings up a synthetic city, lets it exchange, and shows the facts.
//!
//! [`args`] its command line · [`acts`] what it does to the city · [`facts`] what must hold · [`counts`] ·
//! [`report`] · [`progress`].

pub mod acts;
pub mod args;
pub mod counts;
pub mod facts;
pub mod progress;
pub mod report;

use std::{ffi::OsString, fs, process::ExitCode, thread};

use exchange_endpoint::output::{Exit, Failure, run_main};
use fixtures::city::City;
use tokio::signal::unix::{SignalKind, signal};

use self::{args::DemoArgs, progress::Progress, report::Report};
use crate::world::{Programs, World, WorldError, bring_up::WorldPlan, daemon::Daemons};

/// The whole of `svod-demo`: itself, or one of the daemons if the first argument says so.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    match args.get(1).and_then(|word| word.to_str()) {
        Some("hub") => svod_hub::run(args.into_iter().skip(1)),
        Some("spoke") => svod_spoke::run(args.into_iter().skip(1)),
        _ => run_main(args, |args| demonstrate(&args)),
    }
}

fn demonstrate(args: &DemoArgs) -> Result<Exit, Failure> {
    let exe = std::env::current_exe().map_err(WorldError::file("svod-demo"))?;
    let daemons = Daemons::default();
    let temporary = match args.dir {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(WorldError::file(std::env::temp_dir()))?),
    };
    let dir = args.dir.clone().or_else(|| Some(temporary.as_ref()?.path().join("city"))).unwrap_or_default();
    let plan = args.plan(dir);
    let report = watch_signals(&daemons, {
        let (daemons, args) = (daemons.clone(), args.clone());
        move || show(&args, &plan, Programs::find(exe), daemons)
    })?;
    let kept = temporary.is_none();
    args.common.print(&report, |lang| report.text(lang, kept))?;
    Ok(if report.ok { Exit::Done } else { Exit::False })
}

/// Does `work` on a thread of its own; SIGINT or SIGTERM ends the daemons, and with them the work.
fn watch_signals<T: Send + 'static>(
    daemons: &Daemons,
    work: impl FnOnce() -> Result<T, WorldError> + Send + 'static,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(WorldError::file("tokio"))?;
    runtime.block_on(async {
        let (done, mut ended) = tokio::sync::oneshot::channel();
        let worker = thread::spawn(move || {
            let result = work();
            let _ = done.send(());
            result
        });
        let mut term = signal(SignalKind::terminate()).map_err(WorldError::file("SIGTERM"))?;
        let interrupted = tokio::select! {
            _ = &mut ended => false,
            _ = tokio::signal::ctrl_c() => true,
            _ = term.recv() => true,
        };
        if interrupted {
            daemons.forbid();
        }
        let result = worker.join().map_err(|_| Failure::bug(&"the demonstration panicked"))?;
        match result {
            Err(_) if interrupted => Err(Failure::new(Exit::Temporary, "demo-interrupted")),
            other => Ok(other?),
        }
    })
}

/// The demonstration from nothing to its report.
fn show(
    args: &DemoArgs,
    plan: &WorldPlan,
    programs: Programs,
    daemons: Daemons,
) -> Result<Report, WorldError> {
    plan.refuse_full_directory()?;
    let mut progress = Progress::new(args.common.lang, args.common.format);
    progress.step("demo-step-enrol");
    let mut world = World::make(plan, programs, daemons)?;
    progress.step("demo-step-people");
    let city = City::generate(plan.city);
    progress.step("demo-step-fill");
    world.fill(&city)?;
    let expected = super::world::settle::Expected::of(&city);
    drop(city);
    progress.step("demo-step-load");
    world.start()?;
    world.wait_loaded(&expected, &mut |seen| progress.seen(seen))?;
    progress.step("demo-step-dry-run");
    world.hub(&["merge", "--dry-run"])?;
    progress.step("demo-step-merge");
    world.hub(&["merge"])?;
    progress.step("demo-step-locks");
    world.wait_settled(&mut |seen| progress.seen(seen))?;
    let acts = acts::act(&world, &mut |id| progress.step(id))?;
    progress.step("demo-step-facts");
    world.wait_settled(&mut |seen| progress.seen(seen))?;
    let facts = facts::read(&world, &acts)?;
    let mut report = Report::new(&world, args.seed, counts::counts(&world)?, counts::packets(&world)?, facts);
    progress.step("demo-step-stop");
    world.daemons.stop_all()?;
    progress.end();
    report.stages_s = std::mem::take(&mut progress.stages);
    let file = world.layout.demo_json();
    let json = serde_json::to_string_pretty(&report).expect("a report is plain data");
    fs::write(&file, json).map_err(WorldError::file(&file))?;
    Ok(report)
}
