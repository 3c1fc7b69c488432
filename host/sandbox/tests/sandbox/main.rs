//! The sandbox against hostile and friendly components.
