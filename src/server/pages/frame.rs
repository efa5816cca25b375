//! What stands around every page, and what browsers are told of it.

use super::{
    super::{
        error::ApiError,
        reply::{Body, Reply},
    },
    assets,
};
use http::{HeaderValue, Response, header};
use maud::{DOCTYPE, Markup, html};

/// Nothing comes from anywhere else, nothing within a page runs, and no other site shows it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// What one page has of its own.
pub(super) struct View {
    pub(super) title: String,
    /// The pages above it: their paths and names.
    pub(super) above: Vec<(String, String)>,
    pub(super) body: Markup,
    /// Where its changes are told.
    pub(super) events: Option<String>,
}

pub(super) fn page(view: &View, signed_in: bool) -> Response<Body> {
    Reply::typed("text/html; charset=utf-8", document(view, signed_in).into_string())
        .into_response()
}

/// What is wrong, for people.
pub(super) fn error(error: &ApiError, signed_in: bool) -> Response<Body> {
    let status = error.status();
    let title = status.canonical_reason().unwrap_or("Error").to_owned();
    let body = html! {
        h1 { (title) }
        p.error { (error.message) }
        p { a href="/" { "All experiments" } }
    };
    let mut response = page(&View { title, above: Vec::new(), body, events: None }, signed_in);
    *response.status_mut() = status;
    response
}

pub(super) fn mark(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    // (Without an origin a form could not be told from one of another site.)
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

fn document(view: &View, signed_in: bool) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (view.title) " – spearmint" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(assets::UPLOT_STYLE.path());
                link rel="stylesheet" href=(assets::STYLE.path());
                script defer src=(assets::UPLOT.path()) {}
                script defer src=(assets::CHARTS.path()) {}
                script defer src=(assets::LIVE.path()) {}
            }
            body {
                a.hidden href="#main" { "To the content" }
                header.top {
                    nav aria-label="Where this is" {
                        ol {
                            li { a href="/" { "spearmint" } }
                            @for (path, name) in &view.above { li { a href=(path) { (name) } } }
                        }
                    }
                    @if signed_in {
                        form method="post" action="/logout" { button { "Log out" } }
                    }
                }
                main #main tabindex="-1" data-events=[&view.events] { (view.body) }
            }
        }
    }
}
