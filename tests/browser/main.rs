//! The pages in a real browser: headless Chromium, driven over WebDriver. Debian's packages `chromium` and
//! `chromium-driver` are needed; axe-core, which finds what people with other senses would stumble over, is
//! installed once under `target/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

mod axe;
mod browser;
mod driver;
mod faulty;
mod logs;
mod pages;
mod pictures;
#[path = "../support/python.rs"]
mod python;
mod shop;
#[path = "../support/proxy.rs"]
mod support;
