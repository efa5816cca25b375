//! Single branches, page by page.

use super::{all, page, record, text};
use crate::support::Server;
use std::collections::BTreeSet;
use tempfile::tempdir;

#[tokio::test]
async fn branches_are_walked_through_page_by_page_each_once() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 130, "x").await;
    let server = Server::start(&directory).await;
    let here = "/experiments/ranker/branches";
    let mut seen = BTreeSet::new();
    let (mut next, mut pages) = (Some("?".to_owned()), 0);
    while let Some(query) = next {
        let page = page(&server, &format!("{here}{query}")).await;
        let links = all(&page, "href");
        for id in links.iter().filter(|to| to.starts_with("/branches/")) {
            assert!(seen.insert(id.clone()), "{id} twice");
        }
        pages += 1;
        next = page
            .split("rel=\"next\" href=\"")
            .nth(1)
            .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    }
    assert_eq!((seen.len(), pages), (130, 3));
    server.stop().await;
}

#[tokio::test]
async fn branches_are_narrowed_by_config_role_and_status() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 12, "x").await;
    let server = Server::start(&directory).await;
    let count = async |query: &str| {
        let page = page(&server, &format!("/experiments/ranker/branches?{query}")).await;
        all(&page, "href").iter().filter(|to| to.starts_with("/branches/")).count()
    };
    assert_eq!(count("config=new&role=&status=").await, 6);
    assert_eq!(count("status=failed").await, 4);
    assert_eq!(count("config=stable&status=failed&role=primary").await, 2);
    assert_eq!(count("role=shadow").await, 0);
    let nothing = page(&server, "/experiments/ranker/branches?config=none").await;
    assert!(nothing.contains("There is no such branch."), "{nothing}");
    let wrong = server.get("/experiments/ranker/branches?role=king").await;
    assert_eq!(wrong.status, 400);
    assert!(text(&wrong).contains("role: `king` is not one of"), "{}", text(&wrong));
    server.stop().await;
}

#[tokio::test]
async fn the_time_of_a_branch_breaks_after_its_date_and_nowhere_else() {
    let directory = tempdir().unwrap();
    record(&directory, "ranker", 2, "x").await;
    let server = Server::start(&directory).await;
    let page = page(&server, "/experiments/ranker/branches").await;
    let times: Vec<_> = page.split("<span class=\"whole\">").skip(1).collect();
    assert_eq!(times.len(), 4, "{page}");
    for pair in times.chunks(2) {
        let [date, rest] = [pair[0], pair[1]].map(|text| text.split_once("</span>").unwrap());
        assert_eq!((date.0.len(), date.1), ("2026-11-29".len(), " "));
        assert!(rest.0.ends_with(" UTC") && rest.0.len() == "03:23:40.123 UTC".len(), "{rest:?}");
    }
    server.stop().await;
}
