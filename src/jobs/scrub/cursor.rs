//! Where a scrub has got to, as bytes: what the last pass found, and the pass under way.
//!
//! ```text
//!   1 | last: 0, or 1 and found | pass: 0, or 1 and found, number of lanes (2), lanes
//!   found: began, ended, files, bytes, bad, unread (8 each, big-endian)
//!   lane: volume (16), directory (2), 0 or 1 and the last file that is done (16)
//! ```

use std::collections::VecDeque;

use super::Lane;
use super::Pass;
use crate::base::BlobId;
use crate::base::Timestamp;
use crate::base::VolumeId;
use crate::store::Scrubbed;

/// The form that is written and read; another one begins anew.
const FORMAT: u8 = 1;

type Scrubbing = (Option<Scrubbed>, Option<Pass>);

pub(super) fn encode(last: Option<&Scrubbed>, pass: Option<&Pass>) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    bytes.push(u8::from(last.is_some()));
    if let Some(last) = last {
        put_found(last, &mut bytes);
    }
    bytes.push(u8::from(pass.is_some()));
    if let Some(pass) = pass {
        put_found(&pass.found, &mut bytes);
        bytes.extend((pass.lanes.len() as u16).to_be_bytes());
        for lane in &pass.lanes {
            bytes.extend(lane.volume.as_bytes());
            bytes.extend(lane.shard.to_be_bytes());
            bytes.push(u8::from(lane.after.is_some()));
            bytes.extend(lane.after.iter().flat_map(|after| *after.as_bytes()));
        }
    }
    bytes
}

/// `None` when the bytes are of another form.
pub(super) fn decode(bytes: &[u8]) -> Option<Scrubbing> {
    let mut rest = bytes;
    if take::<1>(&mut rest)? != [FORMAT] {
        return None;
    }
    let last = match take(&mut rest)? {
        [0] => None,
        _ => Some(take_found(&mut rest)?),
    };
    let pass = match take(&mut rest)? {
        [0] => None,
        _ => {
            let found = take_found(&mut rest)?;
            let count = u16::from_be_bytes(take(&mut rest)?);
            let lanes = (0..count).map(|_| take_lane(&mut rest)).collect::<Option<Vec<Lane>>>()?;
            Some(Pass { found, lanes, replicas: None, is_begun: false })
        }
    };
    Some((last, pass))
}

fn put_found(found: &Scrubbed, bytes: &mut Vec<u8>) {
    let Scrubbed { began, ended, files, bytes: read, bad, unread } = *found;
    for number in [began.as_millis(), ended.as_millis(), files, read, bad, unread] {
        bytes.extend(number.to_be_bytes());
    }
}

fn take_found(rest: &mut &[u8]) -> Option<Scrubbed> {
    let mut number = || Some(u64::from_be_bytes(take(rest)?));
    Some(Scrubbed {
        began: Timestamp::from_millis(number()?),
        ended: Timestamp::from_millis(number()?),
        files: number()?,
        bytes: number()?,
        bad: number()?,
        unread: number()?,
    })
}

fn take_lane(rest: &mut &[u8]) -> Option<Lane> {
    let volume = VolumeId::from_bytes(take(rest)?);
    let shard = u16::from_be_bytes(take(rest)?);
    let after = match take(rest)? {
        [0] => None,
        _ => Some(BlobId::from_bytes(take(rest)?)),
    };
    Some(Lane { volume, shard, after, waiting: VecDeque::new(), is_listed: false })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}
