//! Missing.
