use super::{Desk, TurnError};
use crate::domain::{Catalog, Feedback, FeedbackOutcome, ProductId, SessionId};
use crate::store::{Reader, Writer};

/// What a face says of a turn or of a session; the desk adds when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackInput {
    /// The turn it is about; `None` for the session as a whole.
    pub turn: Option<u32>,
    /// What happened.
    pub outcome: FeedbackOutcome,
    /// The product it is about.
    pub product: Option<ProductId>,
}

/// Why a feedback was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// The session has no such turn.
    #[error("the session has no turn {turn}, its last is {last}; leave the turn out where the session as a whole is meant")]
    UnknownTurn {
        /// What was named.
        turn: u32,
        /// The last there is, 0 before the first.
        last: u32,
    },
    /// The catalog has no such product.
    #[error("the catalog has no product {0}; give the SKU as the catalog writes it")]
    UnknownProduct(ProductId),
    /// A recommendation was taken or refused, but which?
    #[error("{0} says nothing without a product; name the one that was recommended")]
    NoProduct(&'static str),
    /// The conversation or the log.
    #[error(transparent)]
    Turn(#[from] TurnError),
}

impl Desk {
    /// Takes what became of a turn or a session. When this returns, it is in the log; returns whether it was new.
    pub async fn take_feedback(&self, session: &SessionId, input: FeedbackInput) -> Result<bool, FeedbackError> {
        let parts = &self.parts;
        let at_unix_ms = parts.clock.unix_ms();
        let FeedbackInput { turn, outcome, product } = input.clone();
        let is_new = take_feedback((&parts.writer, &parts.reader), &parts.catalog, session, input, at_unix_ms).await?;
        if is_new {
            parts.recommender.feedback(&Feedback { session: session.clone(), turn, at_unix_ms, outcome, product });
            // Tastes take longer than anybody should wait; at most one fit runs at a time.
            let recommender = parts.recommender.clone();
            drop(tokio::task::spawn_blocking(move || recommender.refit_if_due()));
            if let Some(learner) = &parts.learner {
                learner.wake();
            }
        }
        Ok(is_new)
    }
}

/// Checks what became of a turn or a session and writes it to the log; returns whether it was new.
pub async fn take_feedback(
    (writer, reader): (&Writer, &Reader),
    catalog: &Catalog,
    session: &SessionId,
    input: FeedbackInput,
    at_unix_ms: u64,
) -> Result<bool, FeedbackError> {
    let FeedbackInput { turn, outcome, product } = input;
    if let Some(product) = product.as_ref().filter(|id| catalog.get(id).is_none()) {
        return Err(FeedbackError::UnknownProduct(product.clone()));
    }
    if matches!(outcome, FeedbackOutcome::Accepted | FeedbackOutcome::Rejected) && product.is_none() {
        return Err(FeedbackError::NoProduct(outcome.name()));
    }
    let (reader, id) = (reader.clone(), session.clone());
    let last = tokio::task::spawn_blocking(move || reader.last_turn(&id)).await.map_err(|_| TurnError::Decoding)?;
    let last = last.map_err(TurnError::from)?.ok_or_else(|| TurnError::UnknownSession(session.clone()))?;
    if let Some(turn) = turn.filter(|turn| *turn == 0 || *turn > last) {
        return Err(FeedbackError::UnknownTurn { turn, last });
    }
    let feedback = Feedback { session: session.clone(), turn, at_unix_ms, outcome, product };
    Ok(writer.tell(feedback).await.map_err(TurnError::from)?)
}
