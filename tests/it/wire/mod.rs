//! The wire as strangers use it: `http::server` with an application that does nothing, and in `product` the whole server.

mod body;
mod dummy;
mod expect;
mod heads;
mod leaderless;
mod many;
mod pieces;
mod product;
mod replies;
mod slow;
mod smuggling;
mod stop;
