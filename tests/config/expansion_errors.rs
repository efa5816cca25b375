//! What is wrong with a template, as it is said.
