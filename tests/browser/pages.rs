//! What people find on the pages.

use crate::{
    browser::{Browser, DARK, LIGHT, PHONE},
    shop::{FIRST, Shop},
    support::{run, stdout},
};
use serde_json::Value;
use std::collections::BTreeSet;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn each_page_loads_says_nothing_in_the_console_and_asks_for_nothing_elsewhere() {
    let (shop, browser) = tokio::join!(Shop::open(), Browser::start());
    for path in shop.paths() {
        let url = shop.url(&path);
        browser.open(&url).await;
        assert_eq!(browser.url().await, url);
        assert!(browser.title().await.ends_with(" – spearmint"), "{path}");
        assert!(!browser.text("h1").await.is_empty(), "{path}");
        assert_eq!(browser.console().await, [""; 0], "{path}");
        let asked = browser.asked_for().await;
        assert_eq!(asked.first(), Some(&url));
        let own =
            |address: &&String| address.starts_with(&shop.url("/")) || address.starts_with("data:");
        assert_eq!(asked.iter().find(|address| !own(address)), None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_serious_is_in_anybodys_way_in_light_and_dark_and_on_a_phone() {
    let (shop, browser) = tokio::join!(Shop::open(), Browser::start());
    let mut paths = shop.paths();
    paths.push("/branches/none".into());
    for look in [LIGHT, DARK, PHONE] {
        browser.look(look).await;
        for path in &paths {
            browser.open(&shop.url(path)).await;
            assert_eq!(browser.faults().await, [""; 0], "{path} {look:?}");
            let width = browser.script("return document.documentElement.scrollWidth").await;
            assert!(width.as_u64().unwrap() <= look.width.into(), "{path} {look:?}: {width} wide");
        }
    }
}

/// Marks what can be used, and says how much there is.
const REACHABLE: &str = "
    const all = 'a[href], button, input, select, textarea, summary, [tabindex]';
    window.reachable = [...document.querySelectorAll(all)].filter((one) =>
        one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }));
    return window.reachable.map((one) => one.outerHTML.slice(0, 200));";

/// Where the focus is, and whether that is to be seen.
const FOCUSED: &str = "
    const one = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return [window.reachable.indexOf(one), outlineStyle !== 'none' && outlineWidth !== '0px'];";

const TAB: char = '\u{e004}';

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_reaches_whatever_a_pointer_does_and_one_sees_where_it_is() {
    let (shop, browser) = tokio::join!(Shop::open(), Browser::start());
    for path in shop.paths() {
        browser.open(&shop.url(&path)).await;
        let there = browser.script(REACHABLE).await;
        let there = there.as_array().unwrap();
        assert!(!there.is_empty(), "{path}");
        let mut reached = BTreeSet::new();
        // (Once around leads through the browser's own window.)
        for _ in 0..there.len() + 5 {
            browser.press(TAB).await;
            let focused = browser.script(FOCUSED).await;
            let Some(at) = focused[0].as_u64() else { continue };
            assert_eq!(
                focused[1], true,
                "{path}: one does not see the focus on {}",
                there[at as usize]
            );
            reached.insert(at as usize);
        }
        let missed: Vec<&Value> = there
            .iter()
            .enumerate()
            .filter(|(at, _)| !reached.contains(at))
            .map(|(_, one)| one)
            .collect();
        assert_eq!(missed, [&Value::Null; 0], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_requests_change_is_shown_while_they_flow() {
    let (mut shop, browser) = tokio::join!(Shop::open(), Browser::start());
    browser.open(&shop.url("/experiments/shop")).await;
    let counts =
        |requests: u64| move |text: &str| text.contains(&format!("stable primary {requests} "));
    browser.until("#figures-0", "the requests so far", counts(FIRST)).await;
    browser.script("window.same = true").await;
    for more in 1..=3 {
        shop.ask(10).await;
        browser.until("#figures-0", "ten requests more", counts(FIRST + more * 10)).await;
    }
    assert_eq!(browser.script("return window.same").await, true, "it was loaded again");
    assert_eq!(browser.console().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_experiments_one_comes_to_a_difference_and_to_the_branch_that_made_it() {
    let (shop, browser) = tokio::join!(Shop::open(), Browser::start());
    browser.open(&shop.url("/")).await;
    browser.click("a[href='/experiments/shop']").await;
    assert_eq!(browser.text("h1").await, "shop");
    browser.click("a[href='/experiments/shop/differences']").await;
    browser.click("main a[href$='differences?path=%2Fprice']").await;
    let example = browser.text("table.examples tbody tr").await;
    assert!(example.contains("\"12.49\"") && example.contains("\"12.00\""), "{example}");
    let sides = browser.text("table.examples thead").await;
    assert!(sides.find("primary") < sides.find("the other"), "{sides}");
    browser.click("table.examples a[href^='/branches/']").await;
    let branch = browser.text("main").await;
    for said in ["candidate", "shadow", "success", "prices", "EUR", "\"12.49\"", "\"12.00\""] {
        assert!(branch.contains(said), "{said}: {branch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_failed_has_its_config_its_times_and_why() {
    let (shop, browser) = tokio::join!(Shop::open(), Browser::start());
    browser.open(&shop.url("/experiments/shop/branches")).await;
    browser.script("document.querySelector('[name=status]').value = 'failed'").await;
    browser.click("form.filters button").await;
    let rows = browser.text("main table tbody").await;
    assert_eq!(
        rows.lines().filter(|row| row.contains("candidate shadow failed: status")).count(),
        4,
        "{rows}"
    );
    browser.click("main table tbody a").await;
    let branch = browser.text("main").await;
    for said in ["candidate", "shadow", "failed: status", "503", "rounded", "Its other branches"] {
        assert!(branch.contains(said), "{said}: {branch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_each_page_says_what_it_says_with_them() {
    let (shop, browser) = tokio::join!(Shop::open(), Browser::start());
    for path in shop.paths() {
        let mut said = Vec::new();
        for run in [true, false] {
            browser.scripts(run).await;
            browser.open(&shop.url(&path)).await;
            // (Scripts of the driver run in any case.)
            let headings = "return [...document.querySelectorAll('h1, h2, h3, th, td, .verdict')]\
                .filter((one) => !one.closest('.drawn')).map((one) => one.textContent)";
            said.push(browser.script(headings).await);
        }
        assert_eq!(said[0], said[1], "{path}");
        assert!(!said[0].as_array().unwrap().is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_token_comes_to_the_page_that_was_asked_for() {
    let directory = TempDir::new().unwrap();
    let new = ["ui", "token", "new", "--name", "ann", "--read-only", "--token-file", "tokens"];
    let token = stdout(&run(&new, directory.path()));
    let settings = "ui: { listen: '127.0.0.1:0', token_file: tokens }\n";
    let (shop, browser) = tokio::join!(Shop::open_in(directory, settings), Browser::start());
    browser.open(&shop.url("/experiments/shop")).await;
    browser.write("input[name=token]", "none of theirs").await;
    browser.click("main form button").await;
    let said = browser.text("main").await;
    assert!(said.contains("This token is not known here."), "{said}");
    browser.write("input[name=token]", token.trim()).await;
    browser.click("main form button").await;
    assert_eq!(browser.text("h1").await, "shop");
    assert_eq!(browser.script("return document.cookie").await, "", "scripts see it");
    browser.click("header form button").await;
    browser.open(&shop.url("/experiments/shop")).await;
    assert_ne!(browser.text("h1").await, "shop");
}
