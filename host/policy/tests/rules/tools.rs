//! Tables to come.
