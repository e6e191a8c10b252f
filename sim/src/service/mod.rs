//! What every networked service needs, whatever it serves: connections with frames, requests that cost
//! time, tries with a truthful verdict, limits, figures for operators.
//!
//! These are parts that a node owns, not nodes: each is told what happened and says what to do, and
//! the node marks events and sets the names of settings. None knows a system, a message or a key.
//!
//! | Part | For whom |
//! |---|---|
//! | [`inbound_conns`] | whoever is connected to: what arrived of frames on each connection |
//! | [`peer_conn`] | whoever connects: one connection per peer, opened when it is first needed |
//! | [`decoded`] | a message that arrived, read once and looked at often |
//! | [`service_queue`] | requests that cost processor time |
//! | [`attempts`] | an operation over its tries, and whether it failed or is unknown |
//! | [`redirects`] | following hints to another node, but not in a circle |
//! | [`backoff`] | waits between tries |
//! | [`circuit_breaker`] | not asking what is overloaded |
//! | [`rate_limiter`] | not answering who asks too often |
//! | [`operator`] | changes of membership that an operator asks for |
//! | [`exposition`] | counters and histograms as text for a scraper |

pub mod attempts;
pub mod backoff;
pub mod circuit_breaker;
pub mod decoded;
pub mod exposition;
pub mod inbound_conns;
pub mod operator;
pub mod peer_conn;
pub mod rate_limiter;
pub mod redirects;
pub mod service_queue;

pub use attempts::{Attempts, Verdict};
pub use backoff::Backoff;
pub use circuit_breaker::CircuitBreaker;
pub use decoded::Decoded;
pub use inbound_conns::InboundConns;
pub use peer_conn::PeerConns;
pub use rate_limiter::RateLimiter;
pub use redirects::Redirects;
pub use service_queue::ServiceQueue;
