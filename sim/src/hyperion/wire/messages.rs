//! The messages of the service in Protocol Buffers, as `proto/cache.proto` of the modelled codebase
//! defines them, with what it leaves to headers and channels beside: ids, sessions, redirects.
//!
//! Field numbers are the wire; they never change their meaning. `GetRequest` and `GetResponse` carry
//! those of the original in their fields 1 to 4.

#![expect(missing_docs, reason = "each field is documented where `super` gives it its type")]

use alloc::string::String;
use alloc::vec::Vec;
use prost::{Enumeration, Message, Oneof};

/// One request in its envelope.
#[derive(Clone, PartialEq, Message)]
pub struct Request {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    #[prost(oneof = "RequestBody", tags = "2, 3, 4, 5, 6, 7, 8")]
    pub body: Option<RequestBody>,
}

/// What is asked.
#[derive(Clone, PartialEq, Oneof)]
pub enum RequestBody {
    #[prost(message, tag = "2")]
    Get(GetRequest),
    #[prost(message, tag = "3")]
    BatchGet(BatchGetRequest),
    #[prost(message, tag = "4")]
    Set(SetRequest),
    #[prost(message, tag = "5")]
    Delete(DeleteRequest),
    #[prost(message, tag = "6")]
    Cas(CasRequest),
    #[prost(message, tag = "7")]
    Hello(Hello),
    #[prost(message, tag = "8")]
    Admin(AdminRequest),
}

#[derive(Clone, PartialEq, Message)]
pub struct GetRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    #[prost(bool, tag = "2")]
    pub allow_stale: bool,
    #[prost(uint32, tag = "3")]
    pub timeout_ms: u32,
    #[prost(bool, tag = "4")]
    pub lease: bool,
    #[prost(bool, tag = "5")]
    pub watch: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct BatchGetRequest {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub keys: Vec<Vec<u8>>,
    #[prost(bool, tag = "2")]
    pub allow_stale: bool,
    #[prost(uint32, tag = "3")]
    pub timeout_ms: u32,
    #[prost(bool, tag = "4")]
    pub lease: bool,
}

/// Which write of which client it is (raft-thesis §6.3).
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Session {
    #[prost(fixed64, tag = "1")]
    pub client: u64,
    #[prost(uint64, tag = "2")]
    pub epoch: u64,
    #[prost(uint64, tag = "3")]
    pub seq: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct SetRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub ttl_ns: u64,
    #[prost(message, required, tag = "4")]
    pub session: Session,
}

#[derive(Clone, PartialEq, Message)]
pub struct DeleteRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    #[prost(message, required, tag = "2")]
    pub session: Session,
}

#[derive(Clone, PartialEq, Message)]
pub struct CasRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub version: u64,
    #[prost(fixed64, optional, tag = "4")]
    pub expect: Option<u64>,
    #[prost(message, required, tag = "5")]
    pub session: Session,
}

#[derive(Clone, PartialEq, Message)]
pub struct Hello {
    #[prost(fixed64, tag = "1")]
    pub client: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub token: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub certificate: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AdminRequest {
    #[prost(string, tag = "1")]
    pub verb: String,
    #[prost(uint64, tag = "2")]
    pub count: u64,
}

/// One answer in its envelope; it repeats the id of its request.
#[derive(Clone, PartialEq, Message)]
pub struct Response {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    #[prost(oneof = "ResponseBody", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10")]
    pub body: Option<ResponseBody>,
}

/// What is answered.
#[derive(Clone, PartialEq, Oneof)]
pub enum ResponseBody {
    #[prost(message, tag = "2")]
    Get(GetResponse),
    #[prost(uint64, tag = "3")]
    SetVersion(u64),
    #[prost(message, tag = "4")]
    Deleted(Held),
    #[prost(message, tag = "5")]
    Conflict(Held),
    #[prost(message, tag = "6")]
    Refused(Refused),
    #[prost(message, tag = "7")]
    NotLeader(NotLeader),
    #[prost(enumeration = "Failure", tag = "8")]
    Failed(i32),
    #[prost(uint64, tag = "9")]
    AdminCount(u64),
    #[prost(message, tag = "10")]
    Invalidate(Invalidate),
}

/// How a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub enum CacheStatus {
    Hit = 0,
    Miss = 1,
    Error = 2,
}

/// Answers that say nothing but what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub enum Failure {
    Retry = 0,
    Unknown = 1,
    Unavailable = 2,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub value: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub version: u64,
    #[prost(bool, tag = "3")]
    pub is_stale: bool,
    #[prost(enumeration = "CacheStatus", tag = "4")]
    pub status: i32,
    #[prost(uint64, tag = "5")]
    pub ttl_hint_ns: u64,
    #[prost(message, optional, tag = "6")]
    pub part: Option<Part>,
}

/// Which answer of a stream it is.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Part {
    #[prost(uint32, tag = "1")]
    pub position: u32,
    #[prost(uint32, tag = "2")]
    pub of: u32,
}

/// What a key held; nothing where the value is absent.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Held {
    #[prost(message, optional, tag = "1")]
    pub value: Option<Value>,
}

/// A value by its identity: its bytes are not repeated.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Value {
    #[prost(fixed64, tag = "1")]
    pub id: u64,
    #[prost(uint32, tag = "2")]
    pub size_bytes: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Refused {
    #[prost(uint32, tag = "1")]
    pub code: u32,
    #[prost(uint64, tag = "2")]
    pub size: u64,
    #[prost(uint64, tag = "3")]
    pub max: u64,
    #[prost(bool, tag = "4")]
    pub logged: bool,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct NotLeader {
    #[prost(uint32, optional, tag = "1")]
    pub hint: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Invalidate {
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub version: u64,
    #[prost(bool, tag = "3")]
    pub everything: bool,
}
