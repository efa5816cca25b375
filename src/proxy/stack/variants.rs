//! A service for each config: what forwards to its upstream.

use crate::{
    BoxError,
    config::Config,
    evaluate::Evaluating,
    proxy::{ExperimentFile, forward::Forward, tls, upstream::Upstream},
    variants::Variants,
};
use std::{collections::HashMap, sync::Arc};

pub(super) fn variants(
    file: &ExperimentFile,
    evaluating: Option<&Evaluating>,
) -> Result<Variants<Forward>, BoxError> {
    let settings = &file.settings.upstreams;
    let tls = tls::client_config(file)?;
    let targets: HashMap<_, _> = file.targets.iter().cloned().collect();
    Variants::build(file.pool(), |config: &Config| {
        // Every config of the pool was read with its target.
        let target = targets.get(config.id()).cloned().ok_or("no upstream")?;
        let upstream = Arc::new(Upstream::new(target.address(), settings, &tls));
        let follow = Upstream::follow(
            Arc::downgrade(&upstream),
            target.clone(),
            settings.clone(),
            tls.clone(),
        );
        tokio::spawn(follow);
        Ok(Forward {
            target,
            upstream,
            timeout: settings.timeout.filter(|timeout| !timeout.is_zero()),
            evaluating: evaluating.filter(|evaluating| evaluating.reads_requests()).cloned(),
            takes_expected: file.takes_expected_header(),
        })
    })
}
