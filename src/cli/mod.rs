//! The command line: a file per command, one place that parses and one that ends the process.
//!
//! With `--json` a command prints one JSON object a line on stdout and nothing else there; progress and errors go to stderr. The exit
//! code is 0, 1 for a job that failed, 2 for bad use or input.

mod ask;
mod behavior;
mod chat;
mod classify;
mod config;
mod demo;
mod devices;
mod doctor;
mod evaluate;
mod failure;
mod feedback;
mod gallery;
mod grammar;
mod insight;
mod intents;
mod listen;
mod models;
mod open;
mod orders;
mod progress;
mod recommend;
mod sentiment;
mod serve;
mod sessions;
mod show;
mod simulate;
mod transcribe;
mod understand;

pub use failure::Failure;

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

/// An offline service desk that hears, sees, understands and answers.
#[derive(Debug, Parser)]
#[command(
    name = "kioskd",
    version,
    propagate_version = true,
    after_help = "Examples:
  kioskd ask --text \"how much are the lemons?\"
  kioskd ask --audio question.wav --photo product.jpg --json
  kioskd serve
  kioskd doctor"
)]
pub struct Arguments {
    /// The settings (default: config/kiosk.toml here or beside the program)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep the session log here instead of where the settings say
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask one question, with sound, a photo, text, or any of them together
    Ask(ask::Arguments),
    /// Listen to the microphone and answer until Ctrl-C
    Listen(listen::Arguments),
    /// Hold a typed conversation
    Chat(chat::Arguments),
    /// Start the service and the kiosk's page
    Serve(serve::Arguments),
    /// Serve recorded customers and show every step
    Demo(demo::Arguments),
    /// Write down what is said in sound files
    Transcribe(transcribe::Arguments),
    /// Take spoken orders by a closed grammar
    Order(orders::Arguments),
    /// The grammars: what can be said at this desk
    #[command(subcommand)]
    Grammar(grammar::Command),
    /// Name the products on photos
    Classify(classify::Arguments),
    /// Say what sentences mean, a sentence a line on stdin
    Understand(understand::Arguments),
    /// Measure on labelled data
    #[command(subcommand)]
    Evaluate(evaluate::Command),
    /// Tell what became of a conversation: bought, accepted, refused, liked, left
    Feedback(feedback::Arguments),
    /// Look into the session log
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// The models: list, verify, fetch
    #[command(subcommand)]
    Models(models::Command),
    /// Enrol the views that tell known products from unknown ones
    #[command(subcommand)]
    Gallery(gallery::Command),
    /// Train and measure what sentences mean
    #[command(subcommand)]
    Intents(intents::Command),
    /// Train the sentiment of sentences
    #[command(subcommand)]
    Sentiment(sentiment::Command),
    /// Train and look at the behaviour model
    #[command(subcommand)]
    Behavior(behavior::Command),
    /// Simulate shoppers: as a table, or as conversations in the log
    Simulate(simulate::Arguments),
    /// What many visits say together
    #[command(subcommand)]
    Insight(insight::Command),
    /// Measure recommending
    #[command(subcommand)]
    Recommend(recommend::Command),
    /// List the microphones
    Devices(devices::Arguments),
    /// Check libraries, models, microphone, camera, disk; say what to do
    Doctor(doctor::Arguments),
    /// The settings and the shop's files
    #[command(subcommand)]
    Config(config::Command),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What every command is given: where the settings are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    config: Option<PathBuf>,
    data_dir: Option<PathBuf>,
}

/// Runs the command that was typed.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let place = Place { config: arguments.config, data_dir: arguments.data_dir };
    match arguments.command {
        Command::Ask(arguments) => ask::run(&place, arguments),
        Command::Listen(arguments) => listen::run(&place, &arguments),
        Command::Chat(arguments) => chat::run(&place, &arguments),
        Command::Serve(arguments) => serve::run(&place, arguments),
        Command::Demo(arguments) => demo::run(&place, &arguments),
        Command::Transcribe(arguments) => transcribe::run(&place, &arguments),
        Command::Order(arguments) => orders::run(&place, &arguments),
        Command::Grammar(command) => grammar::run(&command, open::token_texts(&place).as_deref()),
        Command::Classify(arguments) => classify::run(&place, &arguments),
        Command::Understand(arguments) => understand::run(&place, &arguments),
        Command::Evaluate(command) => evaluate::run(&place, command),
        Command::Feedback(arguments) => feedback::run(&place, arguments),
        Command::Sessions(command) => sessions::run(&place, command),
        Command::Models(command) => models::run(&place, command),
        Command::Gallery(command) => gallery::run(&place, command),
        Command::Intents(command) => intents::run(&place, command),
        Command::Sentiment(command) => sentiment::run(&place, command),
        Command::Behavior(command) => behavior::run(&place, command),
        Command::Simulate(arguments) => simulate::run(&place, &arguments),
        Command::Recommend(command) => recommend::run(&place, &command),
        Command::Insight(command) => insight::run(&place, &command),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&place, &arguments),
        Command::Config(command) => config::run(&place, command),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "kioskd", &mut std::io::stdout());
            Ok(())
        }
    }
}
