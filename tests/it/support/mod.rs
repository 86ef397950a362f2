//! What tests share: a cluster, a database each, a server, a client, a clock; a journal alone; the program as processes.

pub mod client;
pub mod clock;
pub mod cluster;
pub mod journal;
pub mod process;
pub mod proxy;
pub mod server;

pub use client::{Answer, Client};
pub use server::TestServer;
