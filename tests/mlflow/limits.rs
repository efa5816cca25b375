//! What MLflow would refuse is made to fit.

use crate::support::{read_back, serve, shared};
use serde_json::{Value, json};
use tower_spearmint::{ConfigPool, branch::FailureKind, mlflow::MlflowBackend};

#[tokio::test(flavor = "multi_thread")]
async fn long_names_long_values_and_many_params_fit_mlflows_limits() {
    let mut config: serde_json::Map<String, Value> =
        (0..250).map(|n| (format!("many{n:03}"), json!(n))).collect();
    config.insert("config_id".into(), json!("wide"));
    config.insert("long".into(), json!("ä".repeat(10_000)));
    config.insert("k".repeat(300), json!("long key"));
    config.insert("a$b/../ c:d".into(), json!("odd key"));
    config.insert("ключ 模型 ทดสอบ é".into(), json!("letters"));
    config.insert("nul".into(), json!("a\0b"));
    config.insert("\u{345}\u{363}ⅷ²".into(), json!("marks"));
    let pool = ConfigPool::from_values([Value::Object(config)]).unwrap();

    let server = shared();
    let backend = MlflowBackend::new(&server.uri()).unwrap();
    let experiment = "e".repeat(600);
    let output = Box::leak(json!("o".repeat(20_000)).to_string().into_boxed_str());
    let stats = serve(&experiment, pool, backend, &[Ok(output), Err(FailureKind::Error)]).await;
    assert_eq!((stats.written, stats.lost), (2, 0));

    let cut_experiment = format!("{}… [cut: 600 characters]", "e".repeat(500 - 23));
    let runs = read_back(server, &cut_experiment);
    assert_eq!(runs.len(), 2);
    for run in &runs {
        let params = run["params"].as_object().unwrap();
        assert_eq!(params.len(), 257);
        assert!((0..250).all(|n| params[&format!("many{n:03}")] == *format!("{n}")));
        let long = params["long"].as_str().unwrap();
        assert_eq!(long.chars().count(), 6_000);
        assert!(long.ends_with("ä… [cut: 10000 characters]"));
        let (key, _) = params.iter().find(|(_, value)| *value == "long key").unwrap();
        assert!(key.starts_with("kkkk") && key.contains("-cut-") && key.len() <= 250, "{key}");
        assert_eq!(params["a_b/__/ c_d"], "odd key");
        assert_eq!(params["ключ 模型 _____ é"], "letters");
        assert_eq!(params["nul"], "a\u{fffd}b");
    }
    let output = runs[0]["tags"]["spearmint.output"].as_str().unwrap();
    assert_eq!(output.chars().count(), 8_000);
    assert!(output.ends_with("o… [cut: 20002 characters]"));
}
