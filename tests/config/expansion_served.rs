//! Templates in experiment files.
