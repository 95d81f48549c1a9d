//! What attackers did to other servers, tried on this one: a wrong answer here is a hole.

mod chunks;
mod input;
mod paths;
mod signatures;
