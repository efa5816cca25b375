//! The span of each branch.

use crate::support::{behaving, pool, records};
use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{Layer, Service};
use tower_spearmint::{Branch, ShadowLayer};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

type Fields = BTreeMap<&'static str, String>;

/// Keeps the spans there were, and what was said in them.
#[derive(Clone)]
struct Listener {
    most: LevelFilter,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    spans: Vec<Fields>,
    entered: Vec<u64>,
    closed: Vec<u64>,
    /// Each event, with the span it was in.
    events: Vec<(String, Option<u64>)>,
}

struct Visitor<'a>(&'a mut Fields);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Subscriber for Listener {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.most && metadata.target() != "tower_spearmint"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::new();
        attributes.record(&mut Visitor(&mut fields));
        fields.insert("name", attributes.metadata().name().to_owned());
        let mut seen = self.seen.lock().unwrap();
        seen.spans.push(fields);
        Id::from_u64(seen.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut seen = self.seen.lock().unwrap();
        values.record(&mut Visitor(&mut seen.spans[span.into_u64() as usize - 1]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Visitor(&mut fields));
        let mut seen = self.seen.lock().unwrap();
        let inside = seen.entered.last().copied();
        seen.events.push((fields.remove("message").unwrap_or_default(), inside));
    }

    fn enter(&self, span: &Id) {
        self.seen.lock().unwrap().entered.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.seen.lock().unwrap().entered.pop(), Some(span.into_u64()));
    }

    fn try_close(&self, span: Id) -> bool {
        self.seen.lock().unwrap().closed.push(span.into_u64());
        true
    }
}

/// One request through a shadow layer whose shadow fails, with somebody listening up to `most`.
async fn listened(most: Level) -> (Arc<Mutex<Seen>>, Vec<Branch>) {
    let listener = Listener { most: most.into(), seen: Arc::default() };
    let seen = listener.seen.clone();
    // With one dispatcher alone, whoever meets a span first decides for all who listens to it: here
    // a test on another thread, where nobody does. With two, both are asked.
    let _second = tracing::Dispatch::new(Listener { most: most.into(), seen: Arc::default() });
    let _listening = tracing::subscriber::set_default(listener);
    let records = records();
    let service = behaving(|id| async move {
        tokio::task::yield_now().await;
        tracing::info!("this is {id}");
        if id == "b" { Err("no".into()) } else { Ok(()) }
    });
    let shadow = ShadowLayer::new(pool(&["a", "b"]).primary("a").unwrap()).experiment("heard");
    let mut service = shadow.layer(records.layer.layer(service));
    service.call(1).await.unwrap();
    shadow.drain(Duration::from_secs(5)).await;
    (seen, records.all().await)
}

#[tokio::test]
async fn a_branch_is_a_span_with_what_its_record_says_from_its_start_to_its_end() {
    let (seen, branches) = listened(Level::DEBUG).await;
    let seen = seen.lock().unwrap();
    assert_eq!((seen.spans.len(), branches.len()), (2, 2));
    for branch in &branches {
        let id = branch.id.to_string();
        let at = seen.spans.iter().position(|span| span["branch_id"] == id).unwrap();
        let mut expected = Fields::from([
            ("name", "branch".to_owned()),
            ("branch_id", id),
            ("request_id", branch.request_id.to_string()),
            ("experiment", "heard".to_owned()),
            ("strategy", "shadow".to_owned()),
            ("config_id", branch.config_id.to_string()),
            ("role", branch.role.to_string()),
            ("reason", branch.reason.to_string()),
            ("epoch", branch.epoch.to_string()),
            ("status", branch.status.to_string()),
        ]);
        if let Some(failure) = &branch.failure {
            expected.insert("kind", failure.kind.to_string());
        }
        assert_eq!(seen.spans[at], expected);
        let span = at as u64 + 1;
        let said = (format!("this is {}", branch.config_id), Some(span));
        assert!(seen.events.contains(&said), "{:?}", seen.events);
        assert!(seen.closed.contains(&span));
    }
}

#[tokio::test]
async fn where_nobody_listens_for_it_there_is_no_span() {
    let (seen, _) = listened(Level::INFO).await;
    let seen = seen.lock().unwrap();
    assert_eq!((seen.spans.len(), seen.events.len()), (0, 2));
}
