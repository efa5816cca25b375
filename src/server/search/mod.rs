//! The grammar of MLflow's searches.

#![allow(dead_code)]

mod clause;
mod condition;
mod lexer;
