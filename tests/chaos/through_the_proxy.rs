//! Sick shadows behind `spearmint serve`: one at a time over HTTP/1.1, and four over HTTP/2.

use crate::{
    sick::{Shadow, Sick},
    support::Proxy,
    verdict::{Row, no_part_was_taken_for_the_whole, not_each_time, quiet},
    visit::{
        PAUSE,
        Protocol::{self, Http1, Http2},
        visit,
    },
    well::well,
};
use std::time::Duration;

const NAMES: [&str; 4] = ["b", "c", "d", "e"];

fn yaml(shadows: &[Sick], protocol: Protocol) -> String {
    let configs: String = shadows
        .iter()
        .zip(NAMES)
        .map(|(sick, name)| {
            let (upper, timeout) = (name.to_uppercase(), sick.timeout());
            format!(
                "  - {{ config_id: {name}, upstream: UPSTREAM_{upper}, shadow: {{ timeout: {timeout} }} }}\n"
            )
        })
        .collect();
    let strategy = if shadows.is_empty() {
        "strategy: single"
    } else {
        "strategy: shadow\nprimary: a\nshadow: { methods: [GET, POST] }"
    };
    format!(
        "
experiment: chaos
{strategy}
drain_timeout: 30s
upstreams: {{ http2: {} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
{configs}",
        protocol == Http2
    )
}

async fn change_nothing(sick: &[Sick], protocol: Protocol) {
    not_each_time(|| change_nothing_once(sick, protocol)).await;
}

/// The same visit without a shadow and with these. An error: a caller that was late.
async fn change_nothing_once(sick: &[Sick], protocol: Protocol) -> Result<(), String> {
    let mut shadows = Vec::<Shadow>::new();
    for sick in sick {
        shadows.push(sick.start(protocol).await);
    }
    let quiet = quiet().await;
    let a = well().await;
    let proxy = Proxy::start(&yaml(&[], protocol), &[a.address]).await;
    let alone = visit(proxy.address, protocol, &a.ledger, Duration::ZERO).await;
    drop(proxy);
    let a = well().await;
    let addresses: Vec<_> =
        [a.address].into_iter().chain(shadows.iter().map(|shadow| shadow.address)).collect();
    let mut proxy = Proxy::start(&yaml(sick, protocol), &addresses).await;
    let shadowed = visit(proxy.address, protocol, &a.ledger, PAUSE).await;
    drop(quiet);

    shadowed.reached(&a.ledger);
    let rows: Vec<_> = proxy.rows().await.iter().map(Row::from).collect();
    assert!(proxy.log().contains(" 0 dropped, 0 lost"), "{}", proxy.log());
    let names = &NAMES[..sick.len()];
    shadowed.is_recorded(&rows, names, &["cancelled"], |name, work| {
        let at = names.iter().position(|one| *one == name).unwrap();
        sick[at].ends(work, protocol)
    });
    for (sick, shadow) in sick.iter().zip(&shadows) {
        no_part_was_taken_for_the_whole(&shadow.ledger);
        if *sick == Sick::Well {
            shadowed.reached_nearly_all(&shadow.ledger);
        }
    }
    shadowed.is_as_quick_as(&alone)
}

macro_rules! change_nothing {
    ($protocol:ident: $($name:ident: $($sick:ident)*,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            change_nothing(&[$(Sick::$sick),*], $protocol).await;
        }
    )*};
}

change_nothing! { Http1:
    a_healthy_shadow_changes_nothing_for_the_primary: Well,
    a_shadow_that_answers_late_changes_nothing_for_the_primary: Slow,
    a_shadow_that_hangs_changes_nothing_for_the_primary: Hangs,
    a_shadow_that_never_reads_changes_nothing_for_the_primary: NeverReads,
    a_shadow_that_reads_late_changes_nothing_for_the_primary: ReadsLate,
    a_shadow_that_resets_at_once_changes_nothing_for_the_primary: ResetsAtOnce,
    a_shadow_that_resets_after_the_head_changes_nothing_for_the_primary: ResetsAfterTheHead,
    a_shadow_that_refuses_changes_nothing_for_the_primary: Refuses,
    a_shadow_that_never_connects_changes_nothing_for_the_primary: NeverConnects,
    a_shadow_that_answers_500_changes_nothing_for_the_primary: Answers500,
    a_shadow_that_greets_with_garbage_changes_nothing_for_the_primary: GreetsWithGarbage,
    a_shadow_that_answers_garbage_changes_nothing_for_the_primary: AnswersGarbage,
    a_shadow_that_answers_100_megabytes_changes_nothing_for_the_primary: Answers100Megabytes,
    a_shadow_that_sends_one_byte_a_second_changes_nothing_for_the_primary: SendsOneByteASecond,
    a_shadow_that_closes_mid_body_changes_nothing_for_the_primary: ClosesMidBody,
    a_shadow_that_half_closes_changes_nothing_for_the_primary: HalfCloses,
}

change_nothing! { Http2:
    four_shadows_over_http2_of_which_three_are_stuck_change_nothing:
        Well Slow Hangs NeverReads,
    four_shadows_over_http2_of_which_one_reads_late_and_two_reset_change_nothing:
        ReadsLate Well ResetsAtOnce ResetsAfterTheHead,
    four_shadows_over_http2_of_which_one_refuses_and_two_answer_nonsense_change_nothing:
        Refuses Answers500 Well AnswersGarbage,
    four_shadows_over_http2_of_which_three_answer_without_an_end_change_nothing:
        Answers100Megabytes SendsOneByteASecond ClosesMidBody Well,
    four_shadows_over_http2_of_which_three_close_half_or_say_too_much_change_nothing:
        Well HalfCloses GreetsWithGarbage Answers100Megabytes,
}
