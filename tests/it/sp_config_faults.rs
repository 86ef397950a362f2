//! Imports of configuration survive whatever happens to servers, their connections and each other: what was begun is finished, once.

mod cancel;
mod cuts;
mod house;
mod kills;
mod random;
mod restore;
mod stop;
mod two_servers;
