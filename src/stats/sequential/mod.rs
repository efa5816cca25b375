//! Answers that stay true however often one looks.
