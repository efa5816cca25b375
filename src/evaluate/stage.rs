//! The thread through which branches pass that are evaluated.
//!
//! It reads what they answered, takes the numbers out that stand there, lets shadows wait for their primaries, and
//! keeps the time of those that judge. These run on another thread (and functions on yet others), so that one that
//! hangs, even without waiting for anything, holds up nobody but those after it.

use super::{
    Evaluation, Expected, Missed,
    evaluators::Plan,
    job::Job,
    json_length::json_length,
    pairs::{Pairs, Request},
    turn::Turn,
};
use crate::{
    branch::{Branch, Role},
    caught::caught,
    trial::{Content, Room, Unread, Unreadable},
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use serde_json::Value;
use std::{
    collections::VecDeque,
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    thread,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::{Semaphore, mpsc, oneshot, watch},
    time::Instant,
};

/// Starts the thread; `None` if the system has none to give.
pub(super) fn start(plan: Arc<Plan>) -> Option<mpsc::Sender<Job>> {
    let (queue, jobs) = mpsc::channel(plan.bounds.waiting.min(Semaphore::MAX_PERMITS));
    // Without a runtime it ends at once, and who brings a branch is told that nobody takes it.
    // Whoever stops what waits need not wait for the thread.
    let stops = plan.underway.stops();
    let pass = move || {
        let slow = plan.judges.iter().any(|judge| !judge.evaluator.is_quick());
        let runners = if slow { Some(Runners::start()?) } else { None };
        let handle = runners.as_ref().map(|runners| runners.handle.clone());
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(run(plan, jobs, handle, stops));
        Some(())
    };
    thread::Builder::new().name("spearmint-measure".into()).spawn(pass).ok()?;
    Some(queue)
}

/// Where those run that judge, until this is dropped.
struct Runners {
    handle: Handle,
    _end: oneshot::Sender<()>,
}

impl Runners {
    fn start() -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let run = move || {
            // Nothing is ever sent.
            let _ = runtime.block_on(ended);
            // A function that hangs is not waited for.
            runtime.shutdown_background();
        };
        thread::Builder::new().name("spearmint-evaluate".into()).spawn(run).ok()?;
        Some(Self { handle, _end: end })
    }
}

/// Lets branches pass until no more can come.
async fn run(
    plan: Arc<Plan>,
    mut jobs: mpsc::Receiver<Job>,
    runners: Option<Handle>,
    stops: watch::Receiver<()>,
) {
    let pairs = Pairs::new(&plan.bounds);
    let (ready, at_work) = (VecDeque::new(), FuturesUnordered::new());
    let mut stage = Stage { plan, runners, stops, pairs, ready, at_work };
    let mut more = true;
    while more || !stage.is_empty() {
        stage.begin();
        match stage.next(&mut jobs, more).await {
            Next::Job(Some(job)) => stage.take(job),
            Next::Job(None) => more = false,
            Next::Look => {}
            Next::Stop => stage.stop(&mut jobs),
        }
        let all = !more || stage.plan.underway.is_hurried();
        for turn in stage.pairs.given_up(Instant::now(), all) {
            stage.enqueue(turn);
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and mostly is a job")]
enum Next {
    Job(Option<Job>),
    /// Another may begin, or has waited for long enough.
    Look,
    /// Nobody waits any longer.
    Stop,
}

struct Stage {
    plan: Arc<Plan>,
    runners: Option<Handle>,
    stops: watch::Receiver<()>,
    pairs: Pairs,
    ready: VecDeque<Turn>,
    at_work: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl Stage {
    fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.at_work.is_empty() && self.pairs.waiting() == 0
    }

    /// Waits for what is to be done next.
    async fn next(&mut self, jobs: &mut mpsc::Receiver<Job>, more: bool) -> Next {
        let mut hurried = pin!(self.plan.underway.hurry.notified());
        let next_given_up = self.pairs.next();
        let mut given_up = pin!(async {
            match next_given_up {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        });
        let mut stopped = pin!(self.stops.changed());
        let at_work = &mut self.at_work;
        poll_fn(|cx| {
            if stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::Stop);
            }
            if let Poll::Ready(Some(())) = at_work.poll_next_unpin(cx) {
                // There is room for another.
                return Poll::Ready(Next::Look);
            }
            if more && let Poll::Ready(job) = jobs.poll_recv(cx) {
                return Poll::Ready(Next::Job(job));
            }
            if given_up.as_mut().poll(cx).is_ready() || hurried.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Next::Look);
            }
            Poll::Pending
        })
        .await
    }

    /// Hands on as they are all that wait. (Those that are judged see it themselves.)
    fn stop(&mut self, jobs: &mut mpsc::Receiver<Job>) {
        let paired = self.pairs.given_up(Instant::now(), true);
        for turn in self.ready.drain(..).chain(paired) {
            turn.give_up(&self.plan, Missed::Stopped);
        }
        // Those that come meanwhile come after it.
        for _ in 0..self.plan.bounds.waiting {
            let Ok(job) = jobs.try_recv() else { break };
            job.give_up(Missed::Stopped);
        }
    }

    /// Lets those begin for whom there is room.
    fn begin(&mut self) {
        while self.at_work.len() < self.plan.bounds.at_once {
            let Some(turn) = self.ready.pop_front() else { return };
            let (plan, runners) = (self.plan.clone(), self.runners.clone());
            self.at_work.push(turn.run(plan, runners, self.stops.clone()).boxed());
        }
    }

    fn has_room(&self) -> bool {
        self.ready.len() + self.pairs.waiting() < self.plan.bounds.waiting
    }

    fn enqueue(&mut self, turn: Turn) {
        self.ready.push_back(turn);
        self.begin();
    }

    fn take(&mut self, job: Job) {
        let Some((mut due, kept)) = job.open() else { return };
        let plan = self.plan.clone();
        let read = kept.response.map(read);
        due.change(|branch| measure(&plan, read.as_ref(), branch));
        let Some(branch) = due.branch().cloned() else { return };
        let (mut rooms, mut missed, mut bytes) = (Vec::new(), None, 0);
        let response = read.and_then(|read| match read {
            Ok(content) => {
                rooms.extend(content.room);
                bytes = content.bytes;
                // Of what came in pieces, only the end may be left.
                missed = content.whole.is_none().then_some(Missed::TooLarge);
                content.whole.map(Arc::new)
            }
            Err(why) => {
                missed = Some(why.into());
                None
            }
        });
        let request = Request::of(&branch);
        if plan.pairs_up() && branch.role == Role::Primary {
            let own = || branch.output.as_ref().filter(|_| branch.is_success());
            let (answer, bytes) = match &response {
                Some(response) if branch.is_success() => (Some(response.clone()), bytes),
                _ => (own().cloned().map(Arc::new), own().map_or(0, json_length)),
            };
            let released =
                self.pairs.answer(request.clone(), answer.clone(), bytes, Instant::now());
            for mut turn in released {
                turn.evaluation.expected = answer.clone();
                self.enqueue(turn);
            }
        }
        if !branch.is_success() || plan.judges.is_empty() {
            return;
        }
        let role = branch.role;
        let asked = kept.request.and_then(|asked| read_whole(asked, &mut rooms));
        let noted = kept.expected.map(Arc::new);
        let expected = noted.or_else(|| self.plan.in_request(asked.as_deref()));
        let evaluation = Evaluation { branch, request: asked, response, expected };
        let of_primary = plan.pairs_up() && matches!(role, Role::Shadow | Role::Control);
        let expects = of_primary || matches!(plan.expected, Some(Expected::Request(_)));
        let mut turn = Turn { evaluation, expects, due, rooms };
        if let Some(why) = missed {
            turn.give_up(&plan, why);
        } else if !self.has_room() {
            turn.give_up(&plan, Missed::WaitingFull);
        } else if of_primary && turn.evaluation.expected.is_none() {
            match self.pairs.known(&request) {
                Some(answer) => {
                    turn.evaluation.expected = answer.clone();
                    self.enqueue(turn);
                }
                None => self.pairs.wait(request, turn, Instant::now()),
            }
        } else {
            self.enqueue(turn);
        }
    }
}

impl Plan {
    /// What the request says is expected.
    fn in_request(&self, request: Option<&Value>) -> Option<Arc<Value>> {
        let Some(Expected::Request(pointer)) = &self.expected else { return None };
        request?.pointer(pointer).cloned().map(Arc::new)
    }
}

/// A body that hostile bytes make us panic at is one that cannot be read.
fn read(unread: Unread) -> Result<Content, Unreadable> {
    caught(unread).unwrap_or(Err(Unreadable::Broken))
}

/// A body as a whole, or nothing.
fn read_whole(unread: Unread, rooms: &mut Vec<Room>) -> Option<Arc<Value>> {
    let content = read(unread).ok()?;
    rooms.extend(content.room);
    content.whole.map(Arc::new)
}

/// The numbers that stand in the answer.
fn measure(plan: &Plan, read: Option<&Result<Content, Unreadable>>, branch: &mut Branch) {
    let output;
    let content = match (read, &branch.output) {
        (Some(Ok(content)), _) => content,
        (Some(Err(why)), _) => {
            plan.readings.iter().for_each(|(_, counts)| counts.missed((*why).into()));
            plan.prices.iter().for_each(|(_, counts)| counts.missed((*why).into()));
            return;
        }
        (None, Some(value)) if branch.is_success() => {
            output = Content::of(value.clone());
            &output
        }
        (None, _) => return,
    };
    for (reading, counts) in &plan.readings {
        match reading.read(content) {
            Ok(number) if branch.metrics.set(&reading.name, number) => counts.had(),
            Ok(_) => counts.missed(Missed::Error),
            Err(why) => counts.missed(why),
        }
    }
    if let Some((prices, counts)) = &plan.prices {
        match prices.cost(content, &branch.config) {
            Ok(cost) if branch.metrics.set(&counts.name, cost) => counts.had(),
            Ok(_) => counts.missed(Missed::Error),
            Err(why) => counts.missed(why),
        }
    }
}
