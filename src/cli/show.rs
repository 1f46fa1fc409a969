//! A turn as people read it.

use std::fmt::Write;

use crate::domain::{Recommendation, TurnRecord, Verdict};

/// All stages of a turn, a line each.
pub(super) fn turn(record: &TurnRecord, currency_word: &str) -> String {
    let mut out = String::new();
    let mut line = |name: &str, text: String| {
        let _ = writeln!(out, "{name:>12}  {text}");
    };
    if let Some(transcript) = &record.transcript {
        line("heard", format!("\"{}\"  ({:.0}% sure)", transcript.text, 100.0 * transcript.confidence.get()));
    }
    if let Some(typed) = &record.typed {
        line("typed", format!("\"{typed}\""));
    }
    if let Some(sighting) = &record.sighting {
        let candidates = sighting.top.iter().take(3).map(|c| format!("{} {:.0}%", c.label, 100.0 * c.probability.get()));
        let candidates = candidates.collect::<Vec<_>>().join(", ");
        let verdict = if sighting.verdict == Verdict::Known { "known" } else { "unknown" };
        line("seen", format!("{verdict}: {candidates}"));
        if let Some(advice) = sighting.advice {
            line("", advice.sentence().to_owned());
        }
    }
    if let Some(understanding) = &record.understanding {
        let best = understanding.best();
        let entities = understanding.entities.iter().map(|e| format!("{}={}", e.kind.name(), e.value)).collect::<Vec<_>>().join(" ");
        let scope = if understanding.in_scope() { "" } else { ", not for this desk" };
        let feeling = understanding.sentiment.map_or(String::new(), |s| format!("  sentiment {s:+.2}"));
        line("understood", format!("{} ({:.0}%{scope})  {entities}{feeling}", best.intent, 100.0 * best.probability.get()));
    }
    if let Some(prediction) = &record.prediction {
        let percent = |p: crate::domain::Probability| 100.0 * p.get();
        line(
            "predicted",
            format!(
                "buys {:.0}%, takes an offer {:.0}%, needs a person {:.0}%, leaves {:.0}%",
                percent(prediction.purchase),
                percent(prediction.accept_recommendation),
                percent(prediction.handoff_needed),
                percent(prediction.abandon)
            ),
        );
        let because = prediction.because.iter().take(4).map(|push| format!("{} {:+.2}", push.feature, push.effect));
        line("because", because.collect::<Vec<_>>().join(", "));
    }
    line("answer", record.answer.text.clone());
    if let Some(details) = &record.answer.details {
        line("on screen", details.clone());
    }
    if let Some(order) = &record.order {
        let slots = order.slots.iter().map(|(slot, value)| format!("{slot} {value}")).collect::<Vec<_>>().join(", ");
        line("order", format!("{slots}  ({:.0}% sure)", 100.0 * order.confidence.get()));
    }
    let basket = &record.state.basket;
    if !basket.lines.is_empty() {
        let lines = basket.lines.iter().map(|l| format!("{} {}", l.quantity, l.product)).collect::<Vec<_>>().join(", ");
        line("basket", format!("{lines}: {}", basket.total().spoken(currency_word)));
    }
    if let Some(handoff) = &record.handoff {
        line("to staff", format!("{}: {}", handoff.reason.name(), handoff.summary));
    }
    for offer in &record.recommendations {
        line("offered", self::offer(offer, currency_word));
    }
    let times = record.timings.iter().map(|(stage, ms)| format!("{stage} {ms:.1}")).collect::<Vec<_>>().join(", ");
    line("took (ms)", times);
    line("session", format!("{} turn {}", record.session, record.turn));
    out.trim_end().to_owned()
}

/// What is offered, its price where it has one, and why.
pub(super) fn offer(offer: &Recommendation, currency_word: &str) -> String {
    let price = offer.price.map_or(String::new(), |price| format!(", {}", price.spoken(currency_word)));
    format!("{}{price}: {}", offer.name, offer.reason)
}
