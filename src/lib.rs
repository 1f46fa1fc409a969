//! kioskd, an offline service desk that hears, sees, understands and answers.
//!
//! A turn runs through the folders in this order: [`audio`] and [`speech`] make words of sound, [`vision`] makes a sighting of a
//! photo, [`language`] finds what is meant, [`behavior`] predicts what the person will do, [`dialogue`] and [`recommend`] answer and
//! offer, [`store`] writes it down. [`turn`] is the order itself; [`cli`] and [`server`] are the faces. ARCHITECTURE.md tells one turn
//! as a story and holds the table of who may import whom; `tests/layering.rs` reads it.

pub mod audio;
pub mod behavior;
pub mod bridge;
pub mod cli;
pub mod config;
pub mod dialogue;
pub mod domain;
pub mod insight;
pub mod language;
pub mod measure;
pub mod onnx;
pub mod recommend;
pub mod server;
pub mod speech;
pub mod store;
pub mod turn;
pub mod vision;
pub mod weights;
pub mod wire;
