//! What axe-core finds in a page. <https://github.com/dequelabs/axe-core>

use crate::{
    browser::Browser,
    python::{environment, run},
};
use serde_json::Value;
use std::{path::PathBuf, process::Command, sync::OnceLock};

/// A package that brings axe-core 4.12 along, and nothing of what it needs itself.
const WANTED: &str = "--no-deps axe-playwright-python==0.1.8";

fn source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let python = environment("axe-venv", WANTED);
        let find = "import importlib.util as u; print(u.find_spec('axe_playwright_python').submodule_search_locations[0])";
        let output = run(Command::new(python).args(["-c", find]));
        let package = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        std::fs::read_to_string(package.join("axe.min.js")).unwrap()
    })
}

impl Browser {
    /// The faults of the page that keep people from using it, each with the element it is in.
    pub async fn faults(&self) -> Vec<String> {
        let source = tokio::task::spawn_blocking(source).await.unwrap();
        let script =
            format!("{source}\nreturn axe.run(document, {{ resultTypes: ['violations'] }});");
        let found = self.script(&script).await;
        assert!(found["testEngine"]["version"].is_string(), "axe did not run: {found}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let violations = found["violations"].as_array().unwrap().iter();
        let grave = violations
            .filter(|fault| fault["impact"] == "serious" || fault["impact"] == "critical");
        grave
            .flat_map(|fault| {
                let nodes = fault["nodes"].as_array().unwrap().iter();
                nodes.map(|node| {
                    let (html, why) = (text(&node["html"]), text(&node["failureSummary"]));
                    format!(
                        "{}: {}\n  in {html}\n  {why}",
                        text(&fault["id"]),
                        text(&fault["help"])
                    )
                })
            })
            .collect()
    }
}
