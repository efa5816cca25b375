//! How branches are looked at from Python.

/// Three lines to paste: the last branches of an experiment, as MLflow's runs. (So they stand at
/// the beginning of their lines.)
pub(crate) fn snippet(url: &str, experiment: &str) -> String {
    // Whatever is a text in JSON is the same in Python.
    let experiment = serde_json::Value::from(experiment);
    format!(
        "import mlflow\n\
         mlflow.set_tracking_uri(\"{url}\")\n\
         print(mlflow.search_runs(experiment_names=[{experiment}], max_results=10))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_experiment_is_a_text_in_python() {
        let lines = snippet("http://127.0.0.1:5000", "a \"b\"\\\n");
        let last = lines.lines().last().unwrap();
        assert_eq!(
            last,
            r#"print(mlflow.search_runs(experiment_names=["a \"b\"\\\n"], max_results=10))"#
        );
        assert_eq!(lines.lines().count(), 3);
    }
}
