//! `holdall check`: damage of every kind is found and named, and lost metadata comes back.

mod command;
mod damage;
mod rebuild;
mod replicas;
mod scale;
mod scene;
