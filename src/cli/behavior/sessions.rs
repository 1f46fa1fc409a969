//! What the behaviour model learns from this shop's own sessions: `kioskd behavior learn`, `versions`, `roll-back`, and the parts of
//! `train` and `explain` that read the log.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::super::{Failure, Place, ask, open};
use super::simulated;
use crate::behavior::{BehaviorError, Provenance, RoundReport, TrainConfig, sliced, train};
use crate::config::{Config, ENCODER_FILES, ShopFiles, open_lessons};
use crate::domain::{Prediction, Push};
use crate::store::Reader;
use crate::turn::{LearnError, Lesson, Lessons, SystemClock, lesson};

/// Learns from the log now; a running service takes a better model over by itself.
pub(super) fn learn(place: &Place, is_json: bool) -> Result<(), Failure> {
    let lessons = lessons(&open::config(place)?)?;
    let Lesson { report, version } = lessons.run().map_err(|error| match error {
        LearnError::Behavior(error) => failure(&error),
        LearnError::Store(error) => error.into(),
    })?;
    if is_json {
        return open::print_json(&json!({ "version": version, "report": report }));
    }
    open::print_line(&told(&report))?;
    open::print_line(&match version {
        Some(version) => format!("version {version} is in use now"),
        None => "no better than the model in use, which stays".to_owned(),
    })
}

/// Lists what was learnt.
pub(super) fn versions(place: &Place, is_json: bool) -> Result<(), Failure> {
    let state = lessons(&open::config(place)?)?.versions.state().map_err(|e| failure(&e))?;
    if is_json {
        return open::print_json(&state);
    }
    let mark = |number| if state.current == number { "*" } else { " " };
    open::print_line(&format!("{}   0  the model that ships", mark(0)))?;
    for version in &state.versions {
        let at = jiff::Timestamp::from_millisecond(version.at_unix_ms as i64).map(|t| t.to_string()).unwrap_or_default();
        open::print_line(&format!(
            "{} {:>3}  {at}  from {:>3}  {}",
            mark(version.number),
            version.number,
            version.parent,
            told(&version.report)
        ))?;
    }
    Ok(())
}

/// Goes back to the version before.
pub(super) fn roll_back(place: &Place, is_json: bool) -> Result<(), Failure> {
    let version = lessons(&open::config(place)?)?.versions.roll_back().map_err(|e| failure(&e))?;
    if is_json {
        return open::print_json(&json!({ "version": version }));
    }
    open::print_line(&match version {
        0 => "the model that ships is in use now".to_owned(),
        version => format!("version {version} is in use now"),
    })
}

/// Trains the fusion network from nothing on the sessions of the log.
pub(super) fn train_from_log(place: &Place, out: &Path, seed: u64, is_json: bool) -> Result<(), Failure> {
    let config = open::config(place)?;
    let ended = Reader::new(&config.paths.data).ended_sessions(config.behavior.learn_sessions_max)?;
    let examples = sliced(ended.into_iter().map(lesson));
    let manifest = open::manifest(&config)?;
    let sha256 = |name: &str| manifest.entry(name).map(|entry| entry.sha256.clone()).map_err(|e| Failure::Job(e.to_string()));
    let provenance = Provenance {
        data: "sessions of this shop".to_owned(),
        text_encoder_sha256: sha256(ENCODER_FILES[0])?,
        photo_encoder_sha256: sha256(&config.vision.model)?,
    };
    let bar = simulated::progress_bar();
    let settings = TrainConfig { seed, batch: 32, ..TrainConfig::default() };
    let trained = train(&examples, &provenance, &settings, &mut |pass| simulated::show(&bar, pass)).map_err(|e| failure(&e))?;
    bar.finish_and_clear();
    let card = format!(
        "# fusion.safetensors: what a customer of this shop is about to do\n\nTrained on the sessions of this shop's own log by `kioskd behavior \
         train --from-sessions --seed {seed} --out {}`.\nIt holds what customers did: treat it as the log itself. Figures on sessions held out:\n\n```\n{}\n```\n",
        out.display(),
        trained.report.to_string().trim_end()
    );
    simulated::write(&trained, out, &card)?;
    if is_json { open::print_json(&trained.report) } else { open::print_line(trained.report.to_string().trim_end()) }
}

/// What pushed the last prediction of a session, input by input.
pub(super) fn explain(place: &Place, id: &str, is_json: bool) -> Result<(), Failure> {
    let config = open::config(place)?;
    let session = ask::session_id(id)?;
    let visit = Reader::new(&config.paths.data).last_predicted(&session)?;
    let visit =
        visit.ok_or_else(|| Failure::Input(format!("there is no turn of {id} to explain; `kioskd sessions list` shows what there is")))?;
    let model = lessons(&config)?.model().map_err(|e| failure(&e))?;
    let inputs = (visit.text.as_deref(), visit.photo.as_deref(), &visit.features);
    let prediction = model.predict(inputs.0, inputs.1, inputs.2).map_err(|e| failure(&e))?;
    let mut pushes = model.effects_on_purchase(inputs.0, inputs.1, inputs.2).map_err(|e| failure(&e))?;
    pushes.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    if is_json { explained_json(id, &prediction, &pushes) } else { explained(&prediction, &pushes) }
}

fn explained_json(id: &str, prediction: &Prediction, pushes: &[Push]) -> Result<(), Failure> {
    let because: Vec<_> = pushes.iter().map(|push| json!({ "input": push.feature, "effect": push.effect })).collect();
    open::print_json(&json!({
        "session": id, "purchase": prediction.purchase.get(), "accept_recommendation": prediction.accept_recommendation.get(),
        "handoff_needed": prediction.handoff_needed.get(), "abandon": prediction.abandon.get(),
        "shares": { "text": prediction.shares.text, "photo": prediction.shares.photo, "session": prediction.shares.session },
        "because": because,
    }))
}

fn explained(prediction: &Prediction, pushes: &[Push]) -> Result<(), Failure> {
    let Prediction { purchase, accept_recommendation, handoff_needed, abandon, shares, .. } = prediction;
    open::print_line(&format!(
        "buys {:.2}, takes a recommendation {:.2}, needs a person {:.2}, leaves {:.2}",
        purchase.get(),
        accept_recommendation.get(),
        handoff_needed.get(),
        abandon.get()
    ))?;
    open::print_line(&format!("said by words {:.2}, photo {:.2}, session {:.2}", shares.text, shares.photo, shares.session))?;
    for push in pushes {
        open::print_line(&format!("{:+8.3}  {}", push.effect, push.feature))?;
    }
    open::print_line("effects on buying, in logits, against an average customer; they add up to the difference")
}

fn lessons(config: &Config) -> Result<Lessons, Failure> {
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let lessons = open_lessons(config, &open::manifest(config)?, &files, Arc::new(SystemClock))?;
    lessons.ok_or_else(|| {
        Failure::Job("models/manifest.toml lists no behaviour model; `kioskd behavior train-simulated` makes one".to_owned())
    })
}

/// Too few sessions are the user's to mend; a broken file is a failed job.
fn failure(error: &BehaviorError) -> Failure {
    match error {
        BehaviorError::TooFewSessions { .. }
        | BehaviorError::TooFewExamples { .. }
        | BehaviorError::OneClass { .. }
        | BehaviorError::NoEarlierVersion => Failure::Input(error.to_string()),
        _ => Failure::Job(error.to_string()),
    }
}

fn told(report: &RoundReport) -> String {
    let [learnt, chosen, held_out] = report.sessions;
    format!(
        "{learnt} sessions to learn from, {chosen} to choose with, {held_out} held out; log loss there {:.4} before, {:.4} after",
        report.log_loss_before, report.log_loss_after
    )
}
