//! A language model on this machine for open questions: an optional bridge to whatever speaks OpenAI's chat completions (llama.cpp, Ollama,
//! vLLM). Off unless `bridge.url` is set.
//!
//! It is asked only where the desk would have to say that it does not know, and told only the shop's own facts that fit the question. What
//! comes back is said only if it is whole, short and grounded in those facts (`grounded`); whatever is slow, refused, too long or made up
//! is an error here, and the desk says what it would have said. The address must be of this machine: no word leaves it.

mod chat;
mod facts;
mod grounded;

pub use facts::fitting;
pub use grounded::is_grounded;

use std::time::Duration;

use serde::Deserialize;

/// How long a connection on this machine may take to be made.
const CONNECT_MAX: Duration = Duration::from_millis(500);

/// A model that answers open questions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BridgeConfig {
    /// Where the model listens, up to and with its `/v1`; "" is off. Only this machine: 127.0.0.1, localhost or `[::1]`.
    pub url: String,
    /// The name under which the model is asked for; many servers take any.
    pub model: String,
    /// A longer answer is not waited for, in milliseconds; the desk then says what it would have said.
    pub answer_ms_max: u64,
    /// A longer answer is not said, in characters.
    pub answer_chars_max: usize,
    /// A larger response is not read, in bytes.
    pub body_bytes_max: u64,
}

impl Default for BridgeConfig {
    fn default() -> Self {
        Self { url: String::new(), model: "local".to_owned(), answer_ms_max: 4_000, answer_chars_max: 300, body_bytes_max: 64 << 10 }
    }
}

impl BridgeConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.url.is_empty() && !is_of_this_machine(&self.url) {
            problems.push(format!(
                "bridge.url is {:?}; expected an address of this machine as \"http://127.0.0.1:8081/v1\", or \"\"",
                self.url
            ));
        }
        if !(100..=60_000).contains(&self.answer_ms_max) {
            problems.push(format!("bridge.answer_ms_max is {}; expected 100 to 60000", self.answer_ms_max));
        }
        if !(20..=2_000).contains(&self.answer_chars_max) {
            problems.push(format!("bridge.answer_chars_max is {}; expected 20 to 2000", self.answer_chars_max));
        }
        if !(1 << 10..=1 << 20).contains(&self.body_bytes_max) {
            problems.push(format!("bridge.body_bytes_max is {}; expected 1024 to 1048576", self.body_bytes_max));
        }
        problems
    }

    /// The bridge, where one is wanted.
    pub fn build(&self) -> Option<Bridge> {
        (!self.url.is_empty() && is_of_this_machine(&self.url)).then(|| Bridge::new(self.clone()))
    }
}

/// Only plain HTTP to a name or address of the machine itself.
fn is_of_this_machine(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some((_, port)) if !authority.ends_with(']') || port.is_empty() => return false,
        _ => authority,
    };
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// Why a question stays unanswered.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// Nothing in the shop's files fits the question.
    #[error("the shop's files say nothing that fits the question")]
    NoFacts,
    /// No server, a broken connection, or too slow.
    #[error("the model of bridge.url did not answer: {0}")]
    Unreachable(String),
    /// An HTTP error.
    #[error("the model of bridge.url answered with status {0}")]
    Status(u16),
    /// Not what chat completions look like.
    #[error("the model of bridge.url sent what is no chat completion: {0}")]
    NoCompletion(String),
    /// Cut off, empty or too long.
    #[error("the model's answer is not whole or too long")]
    NotWhole,
    /// The model says that the facts do not tell.
    #[error("the model found no answer in the facts")]
    NotKnown,
    /// It says what the facts do not.
    #[error("the model's answer is not grounded in the facts")]
    NotGrounded,
}

/// Asks the model. Blocking; give it a thread that may block.
#[derive(Debug, Clone)]
pub struct Bridge {
    config: BridgeConfig,
    agent: ureq::Agent,
}

impl Bridge {
    fn new(config: BridgeConfig) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_global(Some(Duration::from_millis(config.answer_ms_max)))
            .build();
        Self { config, agent: agent.into() }
    }

    /// Longest wait for an answer.
    pub fn answer_max(&self) -> Duration {
        Duration::from_millis(self.config.answer_ms_max)
    }

    /// An answer to the question from these facts and nothing else.
    pub fn ask(&self, shop: &str, question: &str, facts: &[String]) -> Result<String, BridgeError> {
        if facts.is_empty() {
            return Err(BridgeError::NoFacts);
        }
        let request = chat::request(&self.config.model, shop, question, facts);
        let url = format!("{}/chat/completions", self.config.url.trim_end_matches('/'));
        let unreachable = |e: ureq::Error| BridgeError::Unreachable(e.to_string());
        let sent = self.agent.post(&url).header("content-type", "application/json").send(request.to_string());
        let mut response = sent.map_err(unreachable)?;
        match response.status().as_u16() {
            200 => {}
            status => return Err(BridgeError::Status(status)),
        }
        let body = response.body_mut().with_config().limit(self.config.body_bytes_max).read_to_vec().map_err(unreachable)?;
        let answer = chat::answer(&body, self.config.answer_chars_max)?;
        if is_grounded(&answer, question, facts) { Ok(answer) } else { Err(BridgeError::NotGrounded) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        for url in ["http://127.0.0.1:8081/v1", "http://localhost:11434/v1", "http://[::1]:8000/v1", "http://localhost/v1"] {
            assert!(is_of_this_machine(url), "{url}");
        }
        let others = [
            "https://127.0.0.1/v1",
            "http://api.example.com/v1",
            "http://127.0.0.1.example.com/v1",
            "http://127.0.0.1:80@example.com/v1",
            "http://localhost:x/v1",
            "http://10.0.0.1/v1",
            "ftp://localhost",
            "localhost",
        ];
        for url in others {
            assert!(!is_of_this_machine(url), "{url}");
            assert_eq!(BridgeConfig { url: url.to_owned(), ..BridgeConfig::default() }.problems().len(), 1, "{url}");
        }
    }

    #[test]
    fn it_is_off_by_default() {
        assert!(BridgeConfig::default().build().is_none());
        assert!(BridgeConfig::default().problems().is_empty());
    }
}
