//! The files that a served file depends on.

use super::ExperimentFile;
use crate::config::interpolate::Noted;
#[cfg(feature = "watch")]
use crate::config::watch::Print;
use std::path::PathBuf;

impl ExperimentFile {
    /// The files whose change may change what is served, each once: those it was read from, those that
    /// `${file:…}` read, its schemas, and its certificates. None if it came from a text.
    pub fn followed_files(&self) -> &[PathBuf] {
        &self.followed
    }

    pub(super) fn all_files(&self, noted: &Noted) -> Vec<PathBuf> {
        let mut all = self.files().to_vec();
        let schema = self.settings.schema.as_deref().map(|path| self.resolve(path));
        let named = self.certificates().into_iter().chain(schema).chain(self.evaluation_schemas());
        for file in noted.files().into_iter().chain(named) {
            if !all.contains(&file) {
                all.push(file);
            }
        }
        all
    }

    /// What is read only when it is put to use.
    pub(super) fn certificates(&self) -> Vec<PathBuf> {
        let (certificate, key) = self.tls().unzip();
        [certificate, key, self.ca_file()].into_iter().flatten().collect()
    }

    /// Whether its certificates hold what they held when it was read.
    #[cfg(feature = "watch")]
    pub(in super::super) fn has_its_certificates(&self) -> bool {
        self.certified == Some(Print::of(&self.certificates()))
    }
}
