//! What tests share: a cluster, a database each, a server, a client, a clock, bodies; a journal alone; OAuth clients; the program as processes.

pub mod bodies;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod configuration;
pub mod hold;
pub mod journal;
pub mod oauth;
pub mod people;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod reviews;
pub mod server;
pub mod stable;

pub use client::{Answer, Client};
pub use server::{TestServer, eventually, file_group, id};
pub use stable::{stable, whole};
