use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use super::WorkerError;

/// Who speaks: jobs of one speaker are done in order, and speakers take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Speaker(pub u64);

/// Whether a job may stop half-way: asked between its steps.
pub type IsAbandoned<'a> = &'a (dyn Fn() -> bool + 'a);

type Job<M> = Box<dyn FnOnce(&mut M, &dyn Fn() -> bool) + Send>;
type Loader<M> = dyn Fn() -> Result<M, String> + Send + Sync;

/// Several recognisers behind one bounded queue that is fair between speakers.
///
/// Each recogniser has a thread of its own. Speakers take turns: one who sends ten utterances waits behind his own, not the others
/// behind him. A job whose caller has gone is not begun, and one that runs is told. The threads end when the pool is dropped. A job
/// that panics takes its recogniser with it, and another one is loaded, as in [`super::Worker`].
pub struct Pool<M> {
    shared: Arc<Shared<M>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared<M> {
    model: &'static str,
    capacity: usize,
    queues: Mutex<Queues<M>>,
    ready: Condvar,
}

struct Queues<M> {
    /// In the order of their next turn; a queue here is never empty.
    speakers: VecDeque<(Speaker, VecDeque<Ticket<M>>)>,
    waiting: usize,
    /// Models at work, of all that there are.
    busy: usize,
    models: usize,
    is_closed: bool,
}

struct Ticket<M> {
    deadline: Instant,
    job: Job<M>,
}

impl<M: Send + 'static> Pool<M> {
    /// Starts a thread for each model; `reload` makes another one after a panic.
    pub fn start(
        model: &'static str,
        capacity: usize,
        models: Vec<M>,
        reload: impl Fn() -> Result<M, String> + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let queues = Queues { speakers: VecDeque::new(), waiting: 0, busy: 0, models: models.len(), is_closed: false };
        let shared = Arc::new(Shared { model, capacity, queues: Mutex::new(queues), ready: Condvar::new() });
        let mut pool = Self { shared, threads: Vec::with_capacity(models.len()) };
        let reload: Arc<Loader<M>> = Arc::new(reload);
        for (at, first) in models.into_iter().enumerate() {
            let (shared, reload) = (Arc::clone(&pool.shared), Arc::clone(&reload));
            let thread = std::thread::Builder::new().name(format!("{model}-{at}"));
            pool.threads.push(thread.spawn(move || serve(&shared, first, &*reload))?);
        }
        Ok(pool)
    }

    /// Has one of the models do something. The wait has a bound, and a full queue says so at once.
    pub async fn run<O: Send + 'static>(
        &self,
        speaker: Speaker,
        deadline: Instant,
        job: impl FnOnce(&mut M, IsAbandoned<'_>) -> O + Send + 'static,
    ) -> Result<O, WorkerError> {
        let (reply, answer) = oneshot::channel();
        let job = replying(reply, job, || false);
        self.shared.enqueue(speaker, Ticket { deadline, job }, |queues| queues.waiting < self.shared.capacity)?;
        self.shared.wait(answer, deadline).await
    }

    /// Has one of the models do something that can be left undone: only where one is idle, and given up as soon as somebody waits.
    pub async fn run_if_idle<O: Send + 'static>(
        &self,
        speaker: Speaker,
        deadline: Instant,
        job: impl FnOnce(&mut M, IsAbandoned<'_>) -> O + Send + 'static,
    ) -> Result<O, WorkerError> {
        let (reply, answer) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let job = replying(reply, job, move || shared.queues().waiting > 0);
        self.shared.enqueue(speaker, Ticket { deadline, job }, |queues| queues.busy + queues.waiting < queues.models)?;
        self.shared.wait(answer, deadline).await
    }
}

impl<M> Shared<M> {
    fn queues(&self) -> MutexGuard<'_, Queues<M>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, speaker: Speaker, ticket: Ticket<M>, has_room: impl Fn(&Queues<M>) -> bool) -> Result<(), WorkerError> {
        let mut queues = self.queues();
        if queues.is_closed || !has_room(&queues) {
            return Err(WorkerError::Busy { model: self.model });
        }
        queues.add(speaker, ticket);
        drop(queues);
        self.ready.notify_one();
        Ok(())
    }

    /// The next ticket in turn; none when the pool is closed.
    fn next(&self) -> Option<Ticket<M>> {
        let mut queues = self.queues();
        loop {
            if queues.is_closed {
                return None;
            }
            if let Some(ticket) = queues.take() {
                queues.busy += 1;
                return Some(ticket);
            }
            queues = self.ready.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }

    async fn wait<O>(&self, answer: oneshot::Receiver<O>, deadline: Instant) -> Result<O, WorkerError> {
        let model = self.model;
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(_)) if Instant::now() >= deadline => Err(WorkerError::Late { model }),
            Ok(Err(_)) => Err(WorkerError::Stopped { model }),
            Err(_) => Err(WorkerError::Late { model }),
        }
    }
}

impl<M> Queues<M> {
    fn add(&mut self, speaker: Speaker, ticket: Ticket<M>) {
        self.waiting += 1;
        match self.speakers.iter_mut().find(|(known, _)| *known == speaker) {
            Some((_, tickets)) => tickets.push_back(ticket),
            None => self.speakers.push_back((speaker, VecDeque::from([ticket]))),
        }
    }

    /// One of the speaker whose turn it is, who then stands at the end of the line.
    fn take(&mut self) -> Option<Ticket<M>> {
        let (speaker, mut tickets) = self.speakers.pop_front()?;
        let ticket = tickets.pop_front()?;
        self.waiting -= 1;
        if !tickets.is_empty() {
            self.speakers.push_back((speaker, tickets));
        }
        Some(ticket)
    }
}

/// A job that answers its caller, unless he has gone.
fn replying<M, O: Send + 'static>(
    reply: oneshot::Sender<O>,
    job: impl FnOnce(&mut M, IsAbandoned<'_>) -> O + Send + 'static,
    is_unwanted: impl Fn() -> bool + Send + 'static,
) -> Job<M> {
    Box::new(move |model, is_late| {
        if !reply.is_closed() {
            let output = job(model, &|| reply.is_closed() || is_unwanted() || is_late());
            let _ = reply.send(output);
        }
    })
}

fn serve<M>(shared: &Shared<M>, first: M, reload: &Loader<M>) {
    let model = shared.model;
    let mut loaded = Some(first);
    while let Some(ticket) = shared.next() {
        work(model, &mut loaded, ticket, reload);
        shared.queues().busy -= 1;
    }
}

fn work<M>(model: &'static str, loaded: &mut Option<M>, Ticket { deadline, job }: Ticket<M>, reload: &Loader<M>) {
    if Instant::now() >= deadline {
        return;
    }
    if loaded.is_none() {
        *loaded = reload().inspect_err(|error| tracing::error!(model, %error, "model was not loaded again")).ok();
    }
    // Without a model the job is dropped, and with it the caller's reply: "stopped".
    let Some(mut current) = loaded.take() else { return };
    match catch_unwind(AssertUnwindSafe(|| job(&mut current, &|| Instant::now() >= deadline))) {
        Ok(()) => *loaded = Some(current),
        // The half-finished state of a model that panicked is not trusted.
        Err(_) => tracing::error!(model, "model panicked, loading it again"),
    }
}

impl<M> Drop for Pool<M> {
    fn drop(&mut self) {
        self.shared.queues().is_closed = true;
        self.shared.ready.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn pool(capacity: usize, models: usize) -> Pool<u32> {
        Pool::start("counter", capacity, vec![0; models], || Ok(100)).expect("starts")
    }

    /// Occupies the only model until `release` is dropped.
    fn occupy(pool: &Pool<u32>) -> (impl Future<Output = Result<(), WorkerError>> + '_, mpsc::Sender<()>, oneshot::Receiver<()>) {
        let (release, held) = mpsc::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let job = pool.run(Speaker(0), soon(), move |_, _| {
            let _ = begun.send(());
            let _ = held.recv();
        });
        (job, release, has_begun)
    }

    #[tokio::test]
    async fn speakers_take_turns_however_much_one_of_them_sends() {
        let pool = pool(16, 1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let (busy, release, begun) = occupy(&pool);
        let say = |speaker: u64| {
            let order = Arc::clone(&order);
            pool.run(Speaker(speaker), soon(), move |_, _| order.lock().unwrap_or_else(PoisonError::into_inner).push(speaker))
        };
        let rest = async {
            begun.await.expect("begins");
            let release = async { drop(release) };
            let said = tokio::join!(biased; say(1), say(1), say(1), say(2), say(3), release);
            said.0.and(said.1).and(said.2).and(said.3).and(said.4).expect("done");
        };
        tokio::join!(busy, rest).0.expect("done");
        assert_eq!(*order.lock().expect("not poisoned"), [1, 2, 3, 1, 1]);
    }

    #[tokio::test]
    async fn two_recognisers_work_at_the_same_time() {
        let pool = pool(4, 2);
        let (to_first, from_second) = mpsc::channel();
        let (to_second, from_first) = mpsc::channel();
        let first = pool.run(Speaker(1), soon(), move |_, _| to_second.send(()).map(|()| from_second.recv()).is_ok());
        let second = pool.run(Speaker(2), soon(), move |_, _| to_first.send(()).map(|()| from_first.recv()).is_ok());
        assert_eq!(tokio::join!(first, second), (Ok(true), Ok(true)));
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once() {
        let pool = pool(1, 1);
        let (busy, release, begun) = occupy(&pool);
        let rest = async {
            begun.await.expect("begins");
            let second = pool.run(Speaker(1), soon(), |n, _| *n);
            let third = async {
                let third = pool.run(Speaker(2), soon(), |n, _| *n).await;
                drop(release);
                third
            };
            tokio::join!(biased; second, third)
        };
        let (_, (second, third)) = tokio::join!(busy, rest);
        assert_eq!((second, third), (Ok(0), Err(WorkerError::Busy { model: "counter" })));
    }

    #[tokio::test]
    async fn a_decode_is_dropped_when_its_caller_has_gone() {
        let pool = pool(4, 1);
        let (told, was_told) = mpsc::channel();
        let (begun, has_begun) = oneshot::channel();
        let job = pool.run(Speaker(1), soon(), move |_, is_abandoned| {
            let _ = begun.send(());
            while !is_abandoned() {
                std::thread::yield_now();
            }
            let _ = told.send(());
        });
        let hung_up = async {
            tokio::select! { biased; () = async { let _ = has_begun.await; } => (), _ = job => panic!("it cannot end by itself") }
        };
        hung_up.await;
        assert_eq!(was_told.recv_timeout(Duration::from_secs(20)), Ok(()));
    }

    #[tokio::test]
    async fn a_draft_gives_way_to_whoever_waits() {
        let pool = pool(4, 1);
        let (begun, has_begun) = oneshot::channel();
        let draft = pool.run_if_idle(Speaker(1), soon(), move |_, is_abandoned| {
            let _ = begun.send(());
            while !is_abandoned() {
                std::thread::yield_now();
            }
            "given up"
        });
        let final_one = async {
            has_begun.await.expect("begins");
            pool.run(Speaker(2), soon(), |n, _| *n).await
        };
        assert_eq!(tokio::join!(draft, final_one), (Ok("given up"), Ok(0)));
    }

    #[tokio::test]
    async fn a_recogniser_that_panics_is_loaded_again_and_the_caller_is_told() {
        let pool = pool(4, 1);
        let failed = pool.run(Speaker(1), soon(), |_, _| -> u32 { panic!("a test's panic") }).await;
        assert_eq!(failed, Err(WorkerError::Stopped { model: "counter" }));
        assert_eq!(pool.run(Speaker(1), soon(), |n, _| *n).await, Ok(100));
    }
}
