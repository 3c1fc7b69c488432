//! The sandbox from outside: friendly and hostile components, each built here from text.

mod contract;
mod gate;
mod guest;
mod hostile;
mod loading;
mod swap;
