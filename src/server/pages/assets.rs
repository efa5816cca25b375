//! The files that pages need, shipped with the program.

use super::super::{
    error::ApiError,
    reply::{Body, Reply},
};
use http::{HeaderValue, Response, header, request::Parts};
use std::sync::LazyLock;

/// A file under `/assets/`, asked for by its name and what is in it.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

pub(super) static STYLE: Asset =
    Asset { name: "style.css", content_type: CSS, content: crate::report::html::STYLE };
pub(super) static LIVE: Asset =
    Asset { name: "live.js", content_type: SCRIPT, content: include_str!("assets/live.js") };
pub(super) static CHARTS: Asset =
    Asset { name: "charts.js", content_type: SCRIPT, content: include_str!("assets/charts.js") };
// uPlot 1.6.32 (MIT, Leon Sorokin), as it is published; its licence stands beside it.
pub(super) static UPLOT: Asset = Asset {
    name: "uplot.js",
    content_type: SCRIPT,
    content: include_str!("assets/uplot/uPlot.iife.min.js"),
};
pub(super) static UPLOT_STYLE: Asset = Asset {
    name: "uplot.css",
    content_type: CSS,
    content: include_str!("assets/uplot/uPlot.min.css"),
};
static LICENCE: Asset = Asset {
    name: "uplot-licence.txt",
    content_type: "text/plain; charset=utf-8",
    content: include_str!("assets/uplot/LICENSE"),
};

static ALL: [&Asset; 6] = [&STYLE, &LIVE, &CHARTS, &UPLOT, &UPLOT_STYLE, &LICENCE];

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Of all contents: another program has another one, so that a browser keeps none too long.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    ALL.iter().for_each(|asset| {
        hasher.update(asset.content.as_bytes());
    });
    hasher.finalize().to_hex()[..16].to_owned()
});

impl Asset {
    pub(super) fn path(&self) -> String {
        format!("/assets/{}?{}", self.name, *VERSION)
    }
}

pub(super) fn get(parts: &[(String, String)], head: &Parts) -> Result<Response<Body>, ApiError> {
    let name = parts.first().map_or("", |(_, name)| name);
    let asset = ALL
        .iter()
        .find(|asset| asset.name == name)
        .ok_or_else(|| ApiError::none(format!("there is no file {name} here")))?;
    let mut response = Reply::typed(asset.content_type, asset.content).into_response();
    if head.uri.query() == Some(&**VERSION) {
        let long = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, long);
    }
    Ok(response)
}
