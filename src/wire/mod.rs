//! The JSON that clients see, the same from the command line and over HTTP.
//!
//! Only here do the house's words get serde's attributes: a field renamed inside does not change what a client reads, and what a
//! client reads changes only here. What is absent is `null`, so that a client can tell "nothing said" from "not asked".

mod turn;

pub use turn::{SightingJson, TranscriptJson, TurnJson, UnderstandingJson};
