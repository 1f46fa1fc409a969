//! What is trained: which learners, how many of each, on which parts of the rows.

use super::error::TabularError;
use super::fit::FitConfig;
use super::inputs::View;
use super::private::PrivacyWish;
use super::tree::Growth;
use super::trees::Boosting;

/// A ready-made choice of learners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Networks, two kinds of forests and boosted trees, weighed by how good they are on rows they have not seen. The best.
    Blend,
    /// Several careful networks, averaged.
    Ensemble,
    /// One careful network.
    Network,
    /// The network of the project's seed: in-64-64-1, ReLU, Adam 1e-3, mini-batches of 32, 10 passes.
    Seed,
}

impl Preset {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Blend => "blend",
            Preset::Ensemble => "ensemble",
            Preset::Network => "network",
            Preset::Seed => "seed",
        }
    }
}

/// One kind of learner.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Fully connected networks.
    Networks(FitConfig),
    /// The same, trained so that they tell little of any row.
    Private(FitConfig, PrivacyWish),
    /// Trees on draws of the rows.
    Forest { trees: usize, growth: Growth },
    /// Trees that correct each other.
    Boosted(Boosting),
}

/// A kind of learner and how many of them each part of the rows gets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub members: usize,
}

/// What is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Which ready-made choice it comes from.
    pub preset: Preset,
    /// Where chance starts.
    pub seed: u64,
    /// Threads at most; their number changes nothing but the time.
    pub threads: usize,
    /// What networks are given.
    pub(super) view: View,
    /// Parts of the rows. Each learner is trained without one of them and judged on it; with `folds_used` below, only on the first ones.
    pub(super) folds: usize,
    pub(super) folds_used: usize,
    pub(super) families: Vec<Family>,
}

/// Chosen by cross-validation, see docs/results/behavior.md.
const DEEP: Growth = Growth { leaves_max: usize::MAX, rows_min: 8, features_share: 0.35, ridge: 0.0, is_random: false };
const SHALLOW: Growth = Growth { leaves_max: 8, rows_min: 40, features_share: 0.4, ridge: 5.0, is_random: false };

impl Recipe {
    /// The recipe of a preset.
    pub fn new(preset: Preset, seed: u64, threads: usize) -> Self {
        let network = |config: FitConfig, members| Family { name: "networks", kind: Kind::Networks(config), members };
        let (view, folds_used, families) = match preset {
            Preset::Seed => (View::Plain, 1, vec![network(FitConfig::seed(), 1)]),
            Preset::Ensemble => (View::Full, 5, vec![network(FitConfig::careful(), 2)]),
            Preset::Network => (View::Full, 1, vec![network(FitConfig::careful(), 1)]),
            Preset::Blend => (View::Full, 5, Self::blend(network(FitConfig::careful(), 4))),
        };
        Self { preset, seed, threads, view, folds: 5, folds_used, families }
    }

    fn blend(networks: Family) -> Vec<Family> {
        let random = Growth { features_share: 0.6, rows_min: 5, is_random: true, ..DEEP };
        let boosting = Boosting { growth: SHALLOW, rate: 0.04, trees_max: 400, patience: 60 };
        vec![
            networks,
            Family { name: "extremely random trees", kind: Kind::Forest { trees: 60, growth: random }, members: 1 },
            Family { name: "random forest", kind: Kind::Forest { trees: 60, growth: DEEP }, members: 1 },
            Family { name: "boosted trees", kind: Kind::Boosted(boosting), members: 3 },
        ]
    }

    /// Another training of the networks.
    pub fn with_fit(mut self, change: impl Fn(&mut FitConfig)) -> Self {
        for family in &mut self.families {
            if let Kind::Networks(config) | Kind::Private(config, _) = &mut family.kind {
                change(config);
            }
        }
        self
    }

    /// Networks of each part of the rows.
    pub fn with_members(mut self, members: usize) -> Self {
        self.families[0].members = members;
        self
    }

    /// The single network of the recipe, trained so that it tells little of any row: see [`PrivacyWish`]. Wide mini-batches bury the noise;
    /// few units take less of it.
    pub fn privately(mut self, wish: PrivacyWish) -> Self {
        let private = |config: &FitConfig| FitConfig { hidden: vec![32], epochs_max: 30, batch: 256, dropout: 0.0, ..config.clone() };
        for family in &mut self.families {
            if let Kind::Networks(config) = &family.kind {
                family.kind = Kind::Private(private(config), wish);
            }
        }
        self
    }

    /// Whether rows are protected by noise.
    pub fn is_private(&self) -> bool {
        self.families.iter().any(|family| matches!(family.kind, Kind::Private(..)))
    }

    /// Refuses what could not train.
    pub fn check(&self) -> Result<(), TabularError> {
        for family in &self.families {
            if let Kind::Networks(config) | Kind::Private(config, _) = &family.kind {
                config.check()?;
            }
        }
        Ok(())
    }
}
