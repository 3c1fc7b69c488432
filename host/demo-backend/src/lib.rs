//! The demo shop's own backend: a real HTTP service over a durable store, which the `demo` tenant's plugins call on loopback.
//!
//! It knows nothing of Switchboard. It is naive on purpose (it pays any refund it is asked for), honours `Idempotency-Key`,
//! and can be told to misbehave, so that whoever calls it can be watched keeping its promises.
//!
//! ```no_run
//! # async fn example() -> Result<(), demo_backend::StartError> {
//! let backend = demo_backend::Backend::start(demo_backend::Options {
//!     listen: ([127, 0, 0, 1], 0).into(),
//!     data: "demo-data".into(),
//!     token: "a secret of this run".into(),
//!     require_idempotency_key: false,
//! })
//! .await?;
//! println!("demo backend: http://{}", backend.addr);
//! backend.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod app;
mod control;
mod desk;
mod edge;
mod faults;
mod idempotency;
mod journal;
mod moment;
mod money;
mod refusal;
mod request;
mod routes;
mod seed;
mod server;
mod store;

pub use server::{Backend, Options, Running, StartError};
