//! Table tests of reflection.
