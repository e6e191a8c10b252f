//! Requests as messages, and back.

use super::super::command::{Command, Write};
use super::messages as pb;
use super::messages::RequestBody;
use super::{ReadOptions, Request, TIMEOUT_DEFAULT, Verb};
use crate::protocol::frame::Malformed;
use crate::protocol::session::Session;
use crate::service::decoded::{Wire, put};
use alloc::string::ToString;
use alloc::vec::Vec;
use contract::{Duration, ReadLevel};

impl Wire for pb::Request {
    type View<'a> = Request<'a>;

    fn view(&self) -> Result<Request<'_>, Malformed> {
        request_of(self)
    }

    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }
}

impl Request<'_> {
    /// Appends the request under this id.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        let body = match self {
            Self::Get { options, key } => RequestBody::Get(pb::GetRequest {
                key: key.to_vec(),
                allow_stale: options.level == ReadLevel::Stale,
                timeout_ms: timeout_ms(options.timeout),
                lease: options.level == ReadLevel::Lease,
                watch: options.watch,
            }),
            Self::BatchGet { options, keys } => RequestBody::BatchGet(pb::BatchGetRequest {
                keys: keys.iter().map(|key| key.to_vec()).collect(),
                allow_stale: options.level == ReadLevel::Stale,
                timeout_ms: timeout_ms(options.timeout),
                lease: options.level == ReadLevel::Lease,
            }),
            Self::Hello { client, token, certificate } => {
                let (token, certificate) = (token.to_vec(), certificate.to_vec());
                RequestBody::Hello(pb::Hello { client: *client, token, certificate })
            }
            Self::Admin { verb, count } => {
                let verb = verb.name().to_string();
                RequestBody::Admin(pb::AdminRequest { verb, count: *count })
            }
            Self::Write(command) => write_body(command),
        };
        put(&pb::Request { id, body: Some(body) }, out);
    }
}

fn timeout_ms(timeout: Duration) -> u32 {
    let whole = timeout.as_nanos().div_ceil(1_000_000);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

fn write_body(command: &Command<'_>) -> RequestBody {
    let Session { client, epoch } = command.session;
    let session = pb::Session { client, epoch, seq: command.seq };
    let key = command.key.to_vec();
    match command.write {
        Write::Put { value, ttl } => {
            let ttl_ns = ttl.map_or(0, |ttl| ttl.as_nanos().max(1));
            RequestBody::Set(pb::SetRequest { key, value: value.to_vec(), ttl_ns, session })
        }
        Write::Delete => RequestBody::Delete(pb::DeleteRequest { key, session }),
        Write::Cas { version, expect, value } => {
            let value = value.to_vec();
            RequestBody::Cas(pb::CasRequest { key, value, version, expect, session })
        }
        Write::Fill { .. } | Write::Drop { .. } => {
            unreachable!("what leaders decide does not come from clients")
        }
    }
}

fn request_of(message: &pb::Request) -> Result<Request<'_>, Malformed> {
    let body = message.body.as_ref().ok_or(Malformed("it asks for nothing"))?;
    Ok(match body {
        RequestBody::Get(get) => Request::Get {
            options: options(get.allow_stale, get.lease, get.timeout_ms, get.watch)?,
            key: &get.key,
        },
        RequestBody::BatchGet(get) => Request::BatchGet {
            options: options(get.allow_stale, get.lease, get.timeout_ms, false)?,
            keys: get.keys.iter().map(Vec::as_slice).collect(),
        },
        RequestBody::Hello(pb::Hello { client, token, certificate }) => {
            Request::Hello { client: *client, token, certificate }
        }
        RequestBody::Admin(admin) => {
            let verb = Verb::ALL.into_iter().find(|verb| verb.name() == admin.verb);
            let verb = verb.ok_or(Malformed("there is no such verb"))?;
            Request::Admin { verb, count: admin.count }
        }
        RequestBody::Set(set) => {
            let ttl = (set.ttl_ns > 0).then_some(Duration(set.ttl_ns));
            command(&set.key, &set.session, Write::Put { value: &set.value, ttl })?
        }
        RequestBody::Delete(delete) => command(&delete.key, &delete.session, Write::Delete)?,
        RequestBody::Cas(cas) => {
            let (version, expect) = (cas.version, cas.expect);
            let write = Write::Cas { version, expect, value: &cas.value };
            command(&cas.key, &cas.session, write)?
        }
    })
}

fn options(
    stale: bool,
    lease: bool,
    timeout_ms: u32,
    watch: bool,
) -> Result<ReadOptions, Malformed> {
    let level = match (stale, lease) {
        (false, false) => ReadLevel::Linearizable,
        (false, true) => ReadLevel::Lease,
        (true, false) => ReadLevel::Stale,
        (true, true) => return Err(Malformed("a read is stale or by lease")),
    };
    let timeout = match timeout_ms {
        0 => TIMEOUT_DEFAULT,
        timeout_ms => Duration::from_millis(u64::from(timeout_ms)),
    };
    Ok(ReadOptions { level, timeout, watch })
}

fn command<'a>(
    key: &'a [u8],
    session: &pb::Session,
    write: Write<'a>,
) -> Result<Request<'a>, Malformed> {
    if key.len() > usize::from(u16::MAX) {
        // A log entry has two bytes for it; what is merely too long is refused by name.
        return Err(Malformed("no key is that long"));
    }
    let &pb::Session { client, epoch, seq } = session;
    Ok(Request::Write(Command { session: Session { client, epoch }, seq, key, write }))
}
