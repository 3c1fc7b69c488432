//! The way out, against loopback servers.
