//! A request body that several hear.

use crate::support::{
    FedBody, Feed, body_of, eventually, fed, fed_of, hear, no_body, pool, records, whole_body,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use std::{future::pending, time::Duration};
use tokio::{sync::mpsc, time::Instant};
use tower::{Layer, Service};
use tower_spearmint::{
    BoxError,
    branch::Role,
    http::{ForkBody, ShadowLayer, place},
    service_fn,
};

type Fork = ForkBody<FedBody>;

/// The bodies that the primary and its shadows were called with, to read by hand.
pub struct Forks {
    pub primary: Fork,
    pub shadows: Vec<Fork>,
}

pub fn shadow_layer(shadows: usize) -> ShadowLayer {
    let ids = ["a", "b", "c", "d", "e"];
    ShadowLayer::new(pool(&ids[..=shadows]).primary("a").unwrap())
}

pub async fn forked(layer: &ShadowLayer, shadows: usize, body: FedBody) -> Forks {
    let (sender, mut bodies) = mpsc::unbounded_channel();
    let mut service = layer.layer(service_fn(move |request: Request<Fork>| {
        let sender = sender.clone();
        async move {
            let role = place(request.extensions()).unwrap().role();
            sender.send((role, request.into_body())).unwrap();
            Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
        }
    }));
    service.call(Request::new(body)).await.unwrap();
    let mut forks = Vec::new();
    let mut primary = None;
    for _ in 0..=shadows {
        match bodies.recv().await.unwrap() {
            (Role::Primary, body) => primary = Some(body),
            (_, body) => forks.push(body),
        }
    }
    Forks { primary: primary.unwrap(), shadows: forks }
}

async fn forked_once(body: FedBody) -> (Fork, Fork) {
    let mut forks = forked(&shadow_layer(1), 1, body).await;
    (forks.primary, forks.shadows.remove(0))
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))])
}

#[tokio::test]
async fn an_empty_body_is_at_its_end_for_all() {
    let (primary, shadow) = forked_once(no_body()).await;
    assert!(primary.is_end_stream() && shadow.is_end_stream());
    assert_eq!((primary.size_hint().exact(), shadow.size_hint().exact()), (Some(0), Some(0)));
    assert!(hear(primary).await.whole);
    assert!(hear(shadow).await.whole);
}

#[tokio::test]
async fn one_byte_reaches_all() {
    let (primary, shadow) = forked_once(whole_body("x")).await;
    assert_eq!((primary.size_hint().exact(), shadow.size_hint().exact()), (Some(1), Some(1)));
    let (primary, shadow) = (hear(primary).await, hear(shadow).await);
    assert!(primary.whole);
    assert_eq!(primary.data, b"x");
    assert_eq!(primary, shadow);
}

#[tokio::test]
async fn many_frames_of_unknown_length_reach_all_shadows_in_order() {
    let forks = forked(&shadow_layer(4), 4, body_of(&["a", "", "bc", "def"])).await;
    assert_eq!(forks.primary.size_hint().exact(), None);
    let primary = hear(forks.primary).await;
    assert_eq!(primary.data, b"abcdef");
    for shadow in forks.shadows {
        assert_eq!(shadow.size_hint().exact(), None);
        assert_eq!(hear(shadow).await, primary);
    }
}

#[tokio::test]
async fn trailers_reach_the_shadow() {
    let (feed, body) = fed();
    feed.data("x");
    feed.trailers(trailers());
    drop(feed);
    let (primary, shadow) = forked_once(body).await;
    let primary = hear(primary).await;
    assert_eq!(primary.trailers, Some(trailers()));
    assert_eq!(hear(shadow).await, primary);
}

#[tokio::test]
async fn trailers_alone_reach_the_shadow() {
    let (feed, body) = fed();
    feed.trailers(trailers());
    drop(feed);
    let (primary, shadow) = forked_once(body).await;
    let primary = hear(primary).await;
    assert_eq!((primary.trailers.clone(), primary.whole), (Some(trailers()), true));
    assert_eq!(hear(shadow).await, primary);
}

/// A writer that asks `is_end_stream` after each frame (as hyper does over HTTP/2) must not stop
/// before them.
#[tokio::test]
async fn a_shadow_is_not_at_its_end_while_trailers_are_to_come_after_a_known_length() {
    let (feed, body) = fed_of(1);
    let (mut primary, mut shadow) = forked_once(body.not_at_end_with_the_last_byte()).await;
    feed.data("x");
    primary.frame().await.unwrap().unwrap();
    shadow.frame().await.unwrap().unwrap();
    assert!(!primary.is_end_stream());
    assert!(!shadow.is_end_stream());
    feed.trailers(trailers());
    drop(feed);
    assert_eq!(hear(primary).await.trailers, Some(trailers()));
    let heard = hear(shadow).await;
    assert_eq!((heard.trailers, heard.whole), (Some(trailers()), true));
}

#[tokio::test]
async fn a_shadow_is_at_its_end_with_the_last_byte_of_a_body_that_says_so() {
    let (mut primary, mut shadow) = forked_once(whole_body("x")).await;
    primary.frame().await.unwrap().unwrap();
    shadow.frame().await.unwrap().unwrap();
    assert!(primary.is_end_stream() && shadow.is_end_stream());
}

#[tokio::test]
async fn a_body_the_primary_does_not_read_to_its_end_is_never_whole_for_a_shadow() {
    let (feed, body) = fed();
    let (mut primary, shadow) = forked_once(body).await;
    feed.data("begun");
    primary.frame().await.unwrap().unwrap();
    drop(primary);
    let heard = hear(shadow).await;
    assert_eq!((heard.data.as_slice(), heard.whole), (&b"begun"[..], false));
}

#[tokio::test]
async fn a_body_the_primary_never_touches_is_never_whole_for_a_shadow() {
    let (_feed, body) = fed();
    let (primary, shadow) = forked_once(body).await;
    drop(primary);
    assert!(!hear(shadow).await.whole);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_whole_for_anyone() {
    let (feed, body) = fed_of(10);
    let (primary, shadow) = forked_once(body).await;
    feed.data("begun");
    feed.fail();
    let primary = hear(primary).await;
    assert!(!primary.whole);
    assert_eq!(hear(shadow).await, primary);
}

#[tokio::test]
async fn a_body_of_known_length_is_whole_when_the_primary_stops_at_its_last_byte() {
    let (feed, body) = fed_of(4);
    let (mut primary, shadow) = forked_once(body.not_at_end_with_the_last_byte()).await;
    feed.data("wh");
    feed.data("le");
    primary.frame().await.unwrap().unwrap();
    primary.frame().await.unwrap().unwrap();
    drop(primary);
    let heard = hear(shadow).await;
    assert_eq!((heard.data.as_slice(), heard.whole), (&b"whle"[..], true));
}

/// As hyper does over HTTP/2.
#[tokio::test]
async fn a_body_is_whole_when_the_primary_stops_at_its_trailers() {
    let (feed, body) = fed();
    let (mut primary, shadow) = forked_once(body).await;
    feed.trailers(trailers());
    primary.frame().await.unwrap().unwrap();
    drop(primary);
    let heard = hear(shadow).await;
    assert_eq!((heard.trailers, heard.whole), (Some(trailers()), true));
}

#[tokio::test]
async fn the_size_hint_counts_down_for_each_reader_alone() {
    let (feed, body) = fed_of(4);
    let (mut primary, mut shadow) = forked_once(body).await;
    feed.data("wh");
    primary.frame().await.unwrap().unwrap();
    assert_eq!((primary.size_hint().exact(), shadow.size_hint().exact()), (Some(2), Some(4)));
    shadow.frame().await.unwrap().unwrap();
    assert_eq!(shadow.size_hint().exact(), Some(2));
}

#[tokio::test]
async fn the_bytes_are_shared_not_copied() {
    let bytes = Bytes::from(vec![7; 100_000]);
    let at = bytes.as_ptr();
    let (mut primary, mut shadow) = forked_once(whole_body(bytes)).await;
    let mine = primary.frame().await.unwrap().unwrap().into_data().unwrap();
    let copy = shadow.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!((mine.as_ptr(), copy.as_ptr()), (at, at));
}

/// Sends frames and reads each as the primary.
async fn pass(feed: &Feed, primary: &mut Fork, frames: usize, len: usize) {
    for _ in 0..frames {
        feed.data(vec![0; len]);
        primary.frame().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_shadow_may_lag_by_exactly_the_buffer() {
    let layer = shadow_layer(1).body_buffer(4_000);
    let (feed, body) = fed();
    let mut forks = forked(&layer, 1, body).await;
    pass(&feed, &mut forks.primary, 4, 1_000).await;
    drop(feed);
    assert!(hear(forks.primary).await.whole);
    let heard = hear(forks.shadows.remove(0)).await;
    assert_eq!((heard.data.len(), heard.whole), (4_000, true));
}

#[tokio::test]
async fn a_shadow_that_lags_by_more_than_the_buffer_gets_an_error_and_the_primary_goes_on() {
    let layer = shadow_layer(2).body_buffer(4_000);
    let (feed, body) = fed();
    let mut forks = forked(&layer, 2, body).await;
    // One of the two keeps up.
    for _ in 0..10 {
        pass(&feed, &mut forks.primary, 1, 1_000).await;
        forks.shadows[0].frame().await.unwrap().unwrap();
    }
    drop(feed);
    assert!(hear(forks.primary).await.whole);
    assert!(hear(forks.shadows.remove(0)).await.whole);
    let heard = hear(forks.shadows.remove(0)).await;
    assert!(!heard.whole);
    assert_eq!(heard.data.len(), 4_000);
}

/// A frame costs memory, however small it is.
#[tokio::test]
async fn many_tiny_frames_fill_the_buffer_too() {
    let layer = shadow_layer(1).body_buffer(64_000);
    let (feed, body) = fed();
    let mut forks = forked(&layer, 1, body).await;
    pass(&feed, &mut forks.primary, 10_000, 1).await;
    drop(feed);
    let heard = hear(forks.shadows.remove(0)).await;
    assert!(!heard.whole, "10,000 frames waited within 64,000 bytes");
}

/// A server's frames are parts of its read buffers. One byte of each must not keep them all.
#[tokio::test]
async fn tiny_parts_of_large_buffers_that_wait_do_not_keep_the_buffers() {
    const READ_BUFFER: usize = 8_192;
    struct ReadBuffer(std::sync::Arc<std::sync::atomic::AtomicUsize>);
    impl AsRef<[u8]> for ReadBuffer {
        fn as_ref(&self) -> &[u8] {
            &[7; READ_BUFFER]
        }
    }
    impl Drop for ReadBuffer {
        fn drop(&mut self) {
            self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let layer = shadow_layer(1).body_buffer(4 << 20);
    let (feed, body) = fed();
    let mut forks = forked(&layer, 1, body).await;
    let held = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for _ in 0..10_000 {
        held.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        feed.data(Bytes::from_owner(ReadBuffer(held.clone())).slice(..1));
        forks.primary.frame().await.unwrap().unwrap();
    }
    let held = held.load(std::sync::atomic::Ordering::Relaxed) * READ_BUFFER;
    assert!(held < 10 << 20, "{held} bytes for 10,000");
    drop(feed);
    assert!(hear(forks.primary).await.whole);
    let heard = hear(forks.shadows.remove(0)).await;
    assert_eq!((heard.data, heard.whole), (vec![7; 10_000], true));
}

#[tokio::test]
async fn the_total_buffer_bounds_all_shadows_together_and_is_given_back() {
    let layer = shadow_layer(1).body_buffer(3_000).body_buffer_total(8_000);
    let (one, first) = fed();
    let (two, second) = fed();
    let mut first = forked(&layer, 1, first).await;
    let mut second = forked(&layer, 1, second).await;
    pass(&one, &mut first.primary, 3, 1_000).await;
    pass(&two, &mut second.primary, 2, 1_000).await;
    let heard = hear(second.shadows.remove(0)).await;
    assert_eq!((heard.data.len(), heard.whole), (1_000, false), "over the total");

    // What is read, and what is dropped unread, makes room again.
    first.shadows[0].frame().await.unwrap().unwrap();
    drop(first);
    let (three, third) = fed();
    let mut third = forked(&layer, 1, third).await;
    pass(&three, &mut third.primary, 3, 1_000).await;
    drop(three);
    assert!(hear(third.primary).await.whole);
    let heard = hear(third.shadows.remove(0)).await;
    assert_eq!((heard.data.len(), heard.whole), (3_000, true));
}

#[tokio::test]
async fn shadows_that_are_stuck_leave_room_for_one_that_reads() {
    let layer = shadow_layer(2).body_buffer(24_000).body_buffer_total(128_000);
    let mut stuck = Vec::new();
    for _ in 0..20 {
        let (feed, body) = fed();
        let mut forks = forked(&layer, 2, body).await;
        // One of the two takes nothing.
        drop(forks.shadows.pop());
        pass(&feed, &mut forks.primary, 24, 1_000).await;
        stuck.push((feed, forks));
    }
    let (feed, body) = fed();
    let mut forks = forked(&layer, 2, body).await;
    let mut reading = forks.shadows.pop().unwrap();
    for _ in 0..10 {
        // It is late, but it reads.
        pass(&feed, &mut forks.primary, 20, 1_000).await;
        for _ in 0..20 {
            reading.frame().await.unwrap().unwrap();
        }
    }
    drop(feed);
    assert!(hear(forks.primary).await.whole);
    assert!(hear(reading).await.whole);
}

/// A service whose shadow keeps its body and never reads it; the primary reads all.
fn never_reading()
-> impl Service<Request<Fork>, Response = Response<Empty<Bytes>>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(|request: Request<Fork>| async move {
        let role = place(request.extensions()).unwrap().role();
        let body = request.into_body();
        if role == Role::Shadow {
            pending::<()>().await;
        }
        let heard = hear(body).await;
        assert!(heard.whole);
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    })
}

#[tokio::test(start_paused = true)]
async fn a_shadow_that_never_reads_is_dropped_at_once_and_costs_the_primary_no_time() {
    let records = records();
    let layer = shadow_layer(1).body_buffer(4_000).timeout(Duration::from_secs(3_600));
    let mut service = layer.layer(records.layer.layer(never_reading()));
    let (feed, body) = fed();
    for _ in 0..100 {
        feed.data(vec![0; 1_000]);
    }
    drop(feed);
    let began = Instant::now();
    let response = service.call(Request::new(body)).await.unwrap();
    hear(response.into_body()).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    // Its hour is not over yet: it has been dropped, and its buffer with it.
    eventually("the shadow is gone", || layer.stats()[0].in_flight == 0).await;
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(records.ends_of(2).await, ["a primary success", "b shadow failed/lagging"]);
}

/// Answers when it has read all.
async fn reading(request: Request<Fork>) -> Result<Response<Empty<Bytes>>, BoxError> {
    request.into_body().collect().await?;
    Ok(Response::new(Empty::new()))
}

#[tokio::test]
async fn a_shadow_of_an_upload_that_broke_off_is_recorded_as_incomplete() {
    let records = records();
    let mut service = shadow_layer(1).layer(records.layer.layer(service_fn(reading)));
    let (feed, body) = fed();
    feed.data("begun");
    feed.fail();
    assert!(service.call(Request::new(body)).await.is_err());
    assert_eq!(records.ends_of(2).await, ["a primary failed/error", "b shadow failed/incomplete"]);
}

#[tokio::test]
async fn a_shadow_of_a_caller_that_left_in_the_middle_is_recorded_as_incomplete() {
    let records = records();
    let mut service = shadow_layer(1).layer(records.layer.layer(service_fn(reading)));
    let (feed, body) = fed();
    feed.data("begun");
    let call = tokio::time::timeout(Duration::from_millis(20), service.call(Request::new(body)));
    assert!(call.await.is_err());
    assert_eq!(records.ends_of(2).await, ["a primary cancelled", "b shadow failed/incomplete"]);
}

#[tokio::test]
async fn a_body_without_shadows_is_the_callers_own() {
    let layer = shadow_layer(1).sample(0.0);
    let forks = forked(&layer, 0, whole_body("x")).await;
    assert_eq!(format!("{:?}", forks.primary), "ForkBody(\"whole\")");
    assert_eq!(layer.stats()[0].sampled_out, 1);
    assert!(hear(forks.primary).await.whole);
}
