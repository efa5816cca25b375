//! The way in for people: a token, once, for a cookie.

use super::{
    super::{
        MlflowServer,
        error::{ApiError, ErrorCode},
        reply::Body,
    },
    find,
    frame::{self, View},
    redirect,
    sessions::{COOKIE, Sessions},
};
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use maud::html;

/// To the form, and from there back.
pub(super) fn way_to(head: &Parts) -> Response<Body> {
    let back = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let query: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    redirect(&format!("/login?next={query}"))
}

pub(super) fn form(head: &Parts, signed_in: bool) -> Response<Body> {
    let query: Vec<_> = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    draw(here(find(&query, "next")), None, signed_in)
}

fn draw(next: &str, wrong: Option<&str>, signed_in: bool) -> Response<Body> {
    let body = html! {
        h1 { "Log in" }
        @if let Some(wrong) = wrong { p.error role="alert" { (wrong) } }
        form method="post" action="/login" {
            input type="hidden" name="next" value=(next);
            // Browsers that keep passwords ask under which name.
            input.hidden name="user" autocomplete="username" value="spearmint" readonly tabindex="-1" aria-hidden="true";
            p {
                label for="token" { "A token of this server" }
                input #token type="password" name="token" autocomplete="current-password" required autofocus
                    aria-describedby="how";
            }
            p.muted #how {
                "Whoever runs the server makes one: " code { "spearmint ui token new --name ann --read-only" }
                ". The browser keeps a cookie that reads pages, and not the token."
            }
            p { button { "Log in" } }
        }
    };
    frame::page(&View { title: "Log in".into(), above: Vec::new(), body, events: None }, signed_in)
}

/// The most bytes of the form: whoever sends it is not known yet.
pub(super) const MAX_FORM: usize = 16 * 1024;

/// # Errors
///
/// When the system gives no random bytes.
pub(super) fn log_in(
    server: &MlflowServer,
    head: &Parts,
    body: &[u8],
) -> Result<Response<Body>, ApiError> {
    let field = |name| form_urlencoded::parse(body).find(|(known, _)| known == name);
    let (next, token) = (field("next"), field("token"));
    let next = here(next.as_ref().map(|(_, path)| &**path));
    let token = token.map(|(_, token)| token).unwrap_or_default();
    if !server.doors.tokens.is_empty()
        && server.doors.tokens.access(token.trim().as_bytes()).is_none()
    {
        let mut again = draw(next, Some("This token is not known here."), false);
        *again.status_mut() = StatusCode::FORBIDDEN;
        return Ok(again);
    }
    let sessions = &server.inner.pages.sessions;
    sessions.end(&head.headers);
    let secret = sessions
        .open()
        .map_err(|error| ApiError::new(ErrorCode::InternalError, error.to_string()))?;
    let mut response = redirect(next);
    keep(&mut response, &secret, if server.has_tls() { "; Secure" } else { "" });
    Ok(response)
}

pub(super) fn log_out(sessions: &Sessions, head: &Parts) -> Response<Body> {
    sessions.end(&head.headers);
    let mut response = redirect("/login");
    keep(&mut response, "", "; Max-Age=0");
    response
}

/// No script sees it, and no page of another site sends it.
fn keep(response: &mut Response<Body>, secret: &str, more: &str) {
    let cookie = format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict{more}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// A path of this server, and of no other.
fn here(next: Option<&str>) -> &str {
    let is_path = |next: &&str| {
        let second = next.as_bytes().get(1);
        next.starts_with('/')
            && !matches!(second, Some(b'/' | b'\\'))
            && next.bytes().all(|byte| byte.is_ascii_graphic())
    };
    next.filter(is_path).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for path in ["/", "/experiments/a%2Fb?x=1", "/branches/0"] {
            assert_eq!(here(Some(path)), path);
        }
        for elsewhere in ["", "x", "//x", "/\\x", "http://x", "/\t/x", "/a\r\nb"] {
            assert_eq!(here(Some(elsewhere)), "/", "{elsewhere:?}");
        }
        assert_eq!(here(None), "/");
    }
}
