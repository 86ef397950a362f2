//! What tests share: a cluster, a database each, a server, a client, a clock.

pub mod client;
pub mod clock;
pub mod cluster;
pub mod server;

pub use client::{Answer, Client};
pub use server::TestServer;
