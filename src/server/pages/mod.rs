//! The store for browsers: pages that are made here, work without a script, and only read.
//!
//! | page | |
//! |---|---|
//! | `/` | the experiments, and what to do about them |
//! | `/experiments/NAME` | the verdict, the metrics, the arms, how long they took |
//! | `/experiments/NAME/differences` | where answers differ, with examples |
//! | `/experiments/NAME/branches` | single branches, newest first |
//! | `/branches/ID` | one of them, and the others of its request |
//! | `/events` | what a page shows, whenever it changes (server-sent events) |
//! | `/login` | a token for a cookie that reads pages and nothing else |
//!
//! A script adds charts and what changes meanwhile. Nothing is asked of any other server
//! ([`frame`] says so to the browser), and whatever a service answered is text.

mod assets;
mod branch;
mod branches;
mod differences;
mod events;
mod experiment;
mod frame;
mod index;
mod live;
mod login;
mod sessions;
mod timeline;
mod when;

use super::{
    MlflowServer, body,
    call::Context,
    error::{ApiError, ErrorCode},
    reply::{Body, Reply},
};
use crate::store::SqliteStore;
use frame::View;
use http::{Method, Response, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use live::Live;
use matchit::Router;
use sessions::Sessions;
use std::sync::Arc;

/// What a page is made of.
struct Ask<'a> {
    context: &'a Context<'a>,
    store: &'a SqliteStore,
    live: &'a Live,
    parts: &'a [(String, String)],
    query: &'a [(String, String)],
}

impl Ask<'_> {
    /// A part of the path; the empty one where the path has none of this name.
    fn part(&self, name: &str) -> &str {
        find(self.parts, name).unwrap_or_default()
    }

    /// A parameter of the query, if it says something.
    fn query(&self, name: &str) -> Option<&str> {
        find(self.query, name).filter(|value| !value.is_empty())
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}

#[derive(Clone, Copy)]
enum Page {
    Read(fn(&Ask<'_>) -> Result<View, ApiError>),
    Events,
    Login,
    Logout,
    Asset,
}

const PAGES: &[(&str, Page)] = &[
    ("/", Page::Read(index::page)),
    ("/experiments/{name}", Page::Read(experiment::page)),
    ("/experiments/{name}/differences", Page::Read(differences::page)),
    ("/experiments/{name}/branches", Page::Read(branches::page)),
    ("/branches/{id}", Page::Read(branch::page)),
    ("/events", Page::Events),
    ("/login", Page::Login),
    ("/logout", Page::Logout),
    ("/assets/{name}", Page::Asset),
];

/// The pages of a server.
pub(super) struct Pages {
    routes: Router<(&'static str, Page)>,
    store: SqliteStore,
    live: Arc<Live>,
    sessions: Sessions,
}

/// A page that was found, and the parts of its path.
pub(super) struct Found {
    path: &'static str,
    page: Page,
    parts: Vec<(String, String)>,
}

impl Found {
    /// As what it is counted.
    pub(super) const fn name(&self) -> &'static str {
        self.path
    }
}

impl Pages {
    /// # Errors
    ///
    /// When two paths contradict each other, which every test sees.
    pub(super) fn new(store: SqliteStore) -> Result<Self, matchit::InsertError> {
        let mut routes = Router::new();
        for (path, page) in PAGES {
            routes.insert(*path, (*path, *page))?;
        }
        let live = Arc::new(Live::new(store.clone()));
        Ok(Self { routes, store, live, sessions: Sessions::default() })
    }

    pub(super) fn find(&self, path: &str) -> Option<Found> {
        let found = self.routes.at(path).ok()?;
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
        };
        let parts = found.params.iter().map(|(name, part)| (name.to_owned(), decoded(part)));
        let (path, page) = *found.value;
        Some(Found { path, page, parts: parts.collect() })
    }

    /// Ends what would go on for ever.
    pub(super) fn close(&self) {
        self.live.close();
    }
}

impl MlflowServer {
    /// A page, or what is wrong as one.
    pub(super) async fn page(&self, found: Found, head: Parts, body: Incoming) -> Response<Body> {
        let signed_in = self.inner.pages.sessions.knows(&head.headers);
        let mut response = match self.try_page(found, &head, body, signed_in).await {
            Ok(response) => response,
            Err(error) => frame::error(&error, signed_in),
        };
        frame::mark(&mut response);
        response
    }

    async fn try_page(
        &self,
        found: Found,
        head: &Parts,
        body: Incoming,
        signed_in: bool,
    ) -> Result<Response<Body>, ApiError> {
        let pages = &self.inner.pages;
        self.doors.enter(head)?;
        let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
        if let (Page::Login, &Method::POST) = (found.page, method) {
            let form = body::read_up_to(login::MAX_FORM, &head.headers, body).await?;
            return login::log_in(self, head, &form);
        }
        body::hear_out(&head.headers, body);
        match (found.page, method) {
            (Page::Asset, &Method::GET) => return assets::get(&found.parts, head),
            (Page::Login, &Method::GET) => return Ok(login::form(head, signed_in)),
            (Page::Logout, &Method::POST) => return Ok(login::log_out(&pages.sessions, head)),
            (Page::Read(_) | Page::Events, &Method::GET) => {}
            _ => {
                let path = head.uri.path();
                return Err(ApiError::new(
                    ErrorCode::EndpointNotFound,
                    format!("the page {path} does not take {method}"),
                ));
            }
        }
        if !signed_in && let Err(error) = self.doors.identify(head) {
            // (A page has no answer to a browser's own question for a password.)
            return if error.code == ErrorCode::Unauthenticated {
                Ok(login::way_to(head))
            } else {
                Err(error)
            };
        }
        let query: Vec<_> = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        let Page::Read(draw) = found.page else {
            return events::follow(&pages.live, &self.inner.readers, &query, head);
        };
        let (store, live, parts) = (pages.store.clone(), pages.live.clone(), found.parts);
        let view = self
            .inner
            .readers
            .run(move |context| {
                let (store, live) = (&store, &*live);
                draw(&Ask { context, store, live, parts: &parts, query: &query })
            })
            .await?;
        Ok(frame::page(&view, signed_in))
    }
}

/// Somewhere else.
fn redirect(to: &str) -> Response<Body> {
    let mut response = Reply::empty().with_status(StatusCode::SEE_OTHER).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    if let Ok(to) = to.try_into() {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// A part of a path.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The path of an experiment's page.
fn of_experiment(name: &str) -> String {
    format!("/experiments/{}", encoded(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path_whatever_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("s.db")).unwrap();
        let pages = Pages::new(store).unwrap();
        for name in ["ranker", "a/b", "a b?c#d", "../x", "%2F", "é", "branches"] {
            let found = pages.find(&of_experiment(name)).unwrap();
            assert_eq!(found.name(), "/experiments/{name}");
            assert_eq!(found.parts, [("name".to_owned(), name.to_owned())]);
        }
    }
}
