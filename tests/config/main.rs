//! Configs: sources, merging, overrides, provenance.
