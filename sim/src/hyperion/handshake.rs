//! What comes of a handshake, told to the lab: `tls.accepted` and `tls.refused`.

use super::tables::Event;
use crate::protocol::tls::{CertificateError, time_left};
use contract::{Fx, NodeId, WallTime};

/// Marks what came of a handshake with `opener`, who showed this; whether the connection is accepted.
pub fn note(
    verdict: Result<(), CertificateError>,
    shown: &[u8],
    opener: NodeId,
    now: WallTime,
    fx: &mut Fx<'_>,
) -> bool {
    let opener = u64::from(opener.0);
    match verdict {
        Ok(()) => {
            let left = time_left(shown, now).as_nanos();
            fx.mark(Event::TlsAccepted.row(), [opener, 0, 0], left);
        }
        Err(reason) => fx.mark(Event::TlsRefused.row(), [reason as u64, opener, 0], 0),
    }
    verdict.is_ok()
}
