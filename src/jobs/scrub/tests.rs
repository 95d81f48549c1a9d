#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;
use crate::base::Timestamp;

#[test]
fn a_cursor_comes_back_and_an_unknown_one_begins_anew() {
    let found = Scrubbed {
        began: Timestamp::from_millis(1),
        ended: Timestamp::from_millis(2),
        files: 3,
        bytes: 4 << 40,
        bad: 5,
        unread: 6,
    };
    let lane = |number: u8, after| Lane {
        volume: VolumeId::from_bytes([number; 16]),
        shard: 256 - u16::from(number),
        after,
        waiting: VecDeque::new(),
        is_listed: false,
    };
    let lanes = vec![lane(0, None), lane(1, Some(BlobId::from_bytes([9; 16])))];
    let pass = Pass { found, lanes, replicas: None, is_begun: false };
    for (last, pass) in
        [(None, None), (Some(found), None), (None, Some(pass.clone())), (Some(found), Some(pass))]
    {
        let bytes = cursor::encode(last.as_ref(), pass.as_ref());
        assert_eq!(cursor::decode(&bytes), Some((last, pass)));
        for cut in 0..bytes.len() {
            assert_eq!(cursor::decode(&bytes[..cut]), None);
        }
    }
    assert_eq!(cursor::decode(&[2, 0, 0]), None);
}

#[test]
fn a_pass_is_as_fast_as_it_must_be() {
    let lane = Lane {
        volume: VolumeId::from_bytes([1; 16]),
        shard: 64,
        after: None,
        waiting: VecDeque::new(),
        is_listed: false,
    };
    // A quarter of the directories held four tebibytes.
    let found = Scrubbed { bytes: 1 << 42, ..Scrubbed::default() };
    let pass = Pass { found, lanes: vec![lane], replicas: None, is_begun: true };
    assert_eq!(pass.progress().total_bytes, 1 << 44);
    let week = Duration::from_secs(7 * 86_400);
    let seconds = (1_u64 << 44) / pass.rate(week);
    assert!(seconds < week.as_secs() && seconds > week.as_secs() / 2, "{seconds}");
    assert_eq!(Pass::default().rate(week), RATE_MIN);
}
