//! The program: parses what was typed, runs it, prints one sentence where it failed, and ends with the right code.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use kioskd::cli::{Arguments, Failure, run};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    // SAFETY: no other thread runs yet. candle's pool reads this once: a second thread there gains nothing for short sentences and
    // takes a core from the recogniser (9 tokens: 13 ms on one thread, 20 ms on two).
    unsafe { std::env::set_var("RAYON_NUM_THREADS", "1") };
    // The log goes to stderr and never holds what a customer said. `KIOSKD_LOG=debug` shows more.
    let filter = EnvFilter::try_from_env("KIOSKD_LOG").unwrap_or_else(|_| EnvFilter::new("kioskd=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure @ (Failure::Input(_) | Failure::Job(_))) => {
            eprintln!("kioskd: {failure}");
            failure.exit_code()
        }
    }
}
