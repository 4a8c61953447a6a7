//! The one integration binary: a module for each room.

mod layout;
mod warehouse;
