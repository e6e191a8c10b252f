//! Connections over turmoil's TCP: one task each, which owns the socket.
//!
//! The opener first sends the name of the connection, 8 bytes, so that both ends know it by one.
//! What is written goes in chunks with a length of 4 bytes in front; an empty chunk says goodbye.
//! Without it the end of the stream is the end of its writer.

use super::machine::{Cluster, TCP_PORT};
use contract::{CloseReason, ConnId, NodeId};
use engine::hosting::Arrival;
use std::net::IpAddr;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use turmoil::net::{TcpListener, TcpStream};

/// What a machine tells the task of a connection.
pub enum Command {
    Write(Vec<u8>),
    /// Close after what was written.
    Close,
}

const READ_BYTES_MAX: usize = 64 * 1_024;

/// Opens a connection from machine `id` to machine `to`.
pub fn open(cluster: &Rc<Cluster>, id: usize, conn: ConnId, to: NodeId, peer: IpAddr) {
    let (commands, inbox) = unbounded_channel();
    cluster.machines[id].borrow_mut().streams.insert(conn, commands);
    let cluster = Rc::clone(cluster);
    tokio::task::spawn_local(async move {
        let reason = match connect(conn, peer).await {
            Ok(stream) => {
                say(&cluster, id, Arrival::Opened { conn, peer: to });
                serve(&cluster, id, conn, stream, inbox).await
            }
            Err(_) => Some(CloseReason::Refused),
        };
        end(&cluster, id, conn, reason);
    });
}

async fn connect(conn: ConnId, peer: IpAddr) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect((peer, TCP_PORT)).await?;
    let mut name = [0; 8];
    name[..4].copy_from_slice(&conn.opener.0.to_be_bytes());
    name[4..].copy_from_slice(&conn.number.to_be_bytes());
    stream.write_all(&name).await?;
    Ok(stream)
}

/// Accepts connections to machine `id` for ever.
pub async fn accept(cluster: Rc<Cluster>, id: usize, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(greet(Rc::clone(&cluster), id, stream));
    }
}

/// Learns the name of a connection that was accepted, and serves it.
async fn greet(cluster: Rc<Cluster>, id: usize, mut stream: TcpStream) {
    let mut name = [0; 8];
    if stream.read_exact(&mut name).await.is_err() {
        return;
    }
    let word = |at: usize| u32::from_be_bytes([name[at], name[at + 1], name[at + 2], name[at + 3]]);
    let conn = ConnId { opener: NodeId(word(0)), number: word(4) };
    let (commands, inbox) = unbounded_channel();
    cluster.machines[id].borrow_mut().streams.insert(conn, commands);
    say(&cluster, id, Arrival::Opened { conn, peer: conn.opener });
    let reason = serve(&cluster, id, conn, stream, inbox).await;
    end(&cluster, id, conn, reason);
}

/// Reads and writes until the connection is over; why it is, unless this end closed it.
async fn serve(
    cluster: &Cluster,
    id: usize,
    conn: ConnId,
    stream: TcpStream,
    mut inbox: UnboundedReceiver<Command>,
) -> Option<CloseReason> {
    let (mut read, mut write) = stream.into_split();
    let mut buffer = vec![0; READ_BYTES_MAX];
    let mut chunks = Chunks::default();
    loop {
        tokio::select! {
            biased;
            command = inbox.recv() => match command {
                Some(Command::Write(bytes)) => {
                    if write.write_all(&chunk(&bytes)).await.is_err() {
                        return Some(CloseReason::Reset);
                    }
                }
                Some(Command::Close) => {
                    // Whether the peer hears of it is the network's business.
                    let _ = write.write_all(&chunk(&[])).await;
                    let _ = write.shutdown().await;
                    return None;
                }
                None => return None,
            },
            got = read.read(&mut buffer) => match got {
                Ok(0) | Err(_) => return Some(CloseReason::Reset),
                Ok(len_bytes) => {
                    let bytes = chunks.read(&buffer[..len_bytes]);
                    if !bytes.is_empty() {
                        say(cluster, id, Arrival::Data { conn, bytes });
                    }
                    if chunks.over {
                        return Some(CloseReason::Done);
                    }
                }
            },
        }
    }
}

/// What is written, with its length in front.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    let len_bytes = u32::try_from(bytes.len()).expect("a write is shorter than 4 GiB");
    let mut chunk = len_bytes.to_be_bytes().to_vec();
    chunk.extend_from_slice(bytes);
    chunk
}

/// Takes chunks out of a stream that cuts them anywhere.
#[derive(Debug, Default)]
struct Chunks {
    /// What has come of the next length.
    length: Vec<u8>,
    /// What is missing of the present chunk.
    missing_bytes: usize,
    /// The goodbye was read.
    over: bool,
}

impl Chunks {
    /// The bytes in `got` that were written.
    fn read(&mut self, mut got: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !got.is_empty() && !self.over {
            let (head, rest) = got.split_at(self.missing_bytes.min(got.len()));
            bytes.extend_from_slice(head);
            self.missing_bytes -= head.len();
            got = rest;
            if let (0, Some((byte, rest))) = (self.missing_bytes, got.split_first()) {
                self.length.push(*byte);
                got = rest;
            }
            if let Ok(length) = <[u8; 4]>::try_from(&self.length[..]) {
                self.length.clear();
                self.missing_bytes = u32::from_be_bytes(length) as usize;
                self.over = self.missing_bytes == 0;
            }
        }
        bytes
    }
}

fn end(cluster: &Cluster, id: usize, conn: ConnId, reason: Option<CloseReason>) {
    if let Some(reason) = reason {
        say(cluster, id, Arrival::Closed { conn, reason });
    }
}

fn say(cluster: &Cluster, id: usize, arrival: Arrival) {
    let mut machine = cluster.machines[id].borrow_mut();
    machine.inbox.push_back(arrival);
    machine.wake.notify_one();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_out_however_the_stream_is_cut() {
        let mut stream = [chunk(b"one"), chunk(b"four"), chunk(&[7; 300]), chunk(&[])].concat();
        stream.push(9);
        let expect = [&b"onefour"[..], &[7; 300][..]].concat();
        for step in 1..stream.len() {
            let mut chunks = Chunks::default();
            let read: Vec<u8> = stream.chunks(step).flat_map(|got| chunks.read(got)).collect();
            assert_eq!((read, chunks.over), (expect.clone(), true), "in steps of {step}");
        }
    }
}
