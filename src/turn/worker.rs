use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

/// Why a job was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// Too many wait already.
    #[error("the {model} model is busy; try again in a moment")]
    Busy {
        /// Which.
        model: &'static str,
    },
    /// It was not done in time.
    #[error("the {model} model did not answer in time; try again, and send less sound or a smaller photo")]
    Late {
        /// Which.
        model: &'static str,
    },
    /// It failed and is being loaded again, or the process ends.
    #[error("the {model} model failed and is being loaded again; try again in a moment")]
    Stopped {
        /// Which.
        model: &'static str,
    },
}

type Job<M> = Box<dyn FnOnce(&mut M) + Send>;
type Loader<M> = Box<dyn FnMut() -> Result<M, String> + Send>;

/// One model on a thread of its own, behind a bounded queue.
///
/// The thread ends when the worker is dropped. A job that panics takes the model with it: its caller hears [`WorkerError::Stopped`],
/// the model is loaded again, and the next job finds it fresh.
pub struct Worker<M> {
    model: &'static str,
    queue: Option<mpsc::Sender<(Instant, Job<M>)>>,
    thread: Option<JoinHandle<()>>,
}

impl<M: 'static> Worker<M> {
    /// Starts the thread around a model that is loaded already (so that what is wrong with it is told at the start); `reload` makes
    /// another after a panic.
    pub fn start(
        model: &'static str,
        queue: usize,
        first: M,
        reload: impl FnMut() -> Result<M, String> + Send + 'static,
    ) -> std::io::Result<Self>
    where
        M: Send,
    {
        let (sender, inbox) = mpsc::channel(queue);
        let reload: Loader<M> = Box::new(reload);
        let thread = std::thread::Builder::new().name(model.to_owned()).spawn(move || serve(model, first, reload, inbox))?;
        Ok(Self { model, queue: Some(sender), thread: Some(thread) })
    }

    /// Has the model do something. The wait has a bound, a full queue says so at once, and a job whose time has passed or whose
    /// caller has gone is not begun.
    pub async fn run<O: Send + 'static>(
        &self,
        deadline: Instant,
        job: impl FnOnce(&mut M) -> O + Send + 'static,
    ) -> Result<O, WorkerError> {
        let model = self.model;
        let (reply, answer) = oneshot::channel();
        let job: Job<M> = Box::new(move |m| {
            if !reply.is_closed() {
                let _ = reply.send(job(m));
            }
        });
        let queue = self.queue.as_ref().ok_or(WorkerError::Stopped { model })?;
        queue.try_send((deadline, job)).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => WorkerError::Busy { model },
            mpsc::error::TrySendError::Closed(_) => WorkerError::Stopped { model },
        })?;
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(_)) if Instant::now() >= deadline => Err(WorkerError::Late { model }),
            Ok(Err(_)) => Err(WorkerError::Stopped { model }),
            Err(_) => Err(WorkerError::Late { model }),
        }
    }
}

impl<M: Send + 'static> Worker<M> {
    /// Has the next job find another model. What runs right now ends with the old one.
    pub fn replace(&self, model: M) -> Result<(), WorkerError> {
        /// Nobody waits for it, so it may wait for a long queue.
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);
        let name = self.model;
        let queue = self.queue.as_ref().ok_or(WorkerError::Stopped { model: name })?;
        let job: Job<M> = Box::new(move |current| *current = model);
        queue.try_send((Instant::now() + PATIENCE, job)).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => WorkerError::Busy { model: name },
            mpsc::error::TrySendError::Closed(_) => WorkerError::Stopped { model: name },
        })
    }
}

fn serve<M>(model: &'static str, first: M, mut reload: Loader<M>, mut inbox: mpsc::Receiver<(Instant, Job<M>)>) {
    let mut loaded = Some(first);
    while let Some((deadline, job)) = inbox.blocking_recv() {
        if Instant::now() >= deadline {
            continue;
        }
        if loaded.is_none() {
            loaded = reload().inspect_err(|error| tracing::error!(model, %error, "model was not loaded again")).ok();
        }
        // Without a model the job is dropped, and with it the caller's reply: "stopped".
        let Some(mut current) = loaded.take() else { continue };
        match catch_unwind(AssertUnwindSafe(|| job(&mut current))) {
            Ok(()) => loaded = Some(current),
            // The half-finished state of a model that panicked is not trusted.
            Err(_) => tracing::error!(model, "model panicked, loading it again"),
        }
    }
}

impl<M> Drop for Worker<M> {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc as blocking;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn counter(queue: usize) -> Worker<u32> {
        Worker::start("counter", queue, 0, || Ok(100)).expect("starts")
    }

    #[tokio::test]
    async fn a_model_that_panics_is_loaded_again_and_the_caller_is_told() {
        let worker = counter(4);
        assert_eq!(
            worker
                .run(soon(), |n| {
                    *n += 1;
                    *n
                })
                .await,
            Ok(1)
        );
        let failed = worker.run(soon(), |_| -> u32 { panic!("a test's panic") }).await;
        assert_eq!(failed, Err(WorkerError::Stopped { model: "counter" }));
        assert_eq!(worker.run(soon(), |n| *n).await, Ok(100));
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once() {
        let worker = counter(1);
        let (release, held) = blocking::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let first = worker.run(soon(), move |_| {
            let _ = begun.send(());
            let _ = held.recv();
        });
        let rest = async {
            has_begun.await.expect("begins");
            let second = worker.run(soon(), |n| *n);
            let third = async {
                let third = worker.run(soon(), |n| *n).await;
                drop(release);
                third
            };
            tokio::join!(biased; second, third)
        };
        let (_, (second, third)) = tokio::join!(first, rest);
        assert_eq!(second, Ok(0));
        assert_eq!(third, Err(WorkerError::Busy { model: "counter" }));
    }

    #[tokio::test]
    async fn a_job_whose_time_has_passed_is_late_and_not_begun() {
        let worker = counter(4);
        let late = worker
            .run(Instant::now(), |n| {
                *n += 1;
            })
            .await;
        assert_eq!(late, Err(WorkerError::Late { model: "counter" }));
        assert_eq!(worker.run(soon(), |n| *n).await, Ok(0));
    }

    #[tokio::test]
    async fn a_model_that_was_replaced_answers_from_the_next_job_on() {
        let worker = counter(4);
        assert_eq!(worker.run(soon(), |n| *n).await, Ok(0));
        worker.replace(7).expect("there is room");
        assert_eq!(worker.run(soon(), |n| *n).await, Ok(7));
    }
}
