use super::*;

#[test]
fn a_few_get_large_chunks_and_a_crowd_small_ones() {
    let downloads = Arc::new(Downloads::new(16 << 20));
    let first = downloads.enter();
    assert_eq!(first.chunk_bytes(), CHUNK_MAX_BYTES);
    let crowd: Vec<_> = (0..99).map(|_| downloads.enter()).collect();
    assert_eq!(first.chunk_bytes(), 32 << 10, "those from before as well");
    let more: Vec<_> = (0..9_900).map(|_| downloads.enter()).collect();
    assert_eq!(first.chunk_bytes(), CHUNK_MIN_BYTES);
    drop((crowd, more));
    assert_eq!(first.chunk_bytes(), CHUNK_MAX_BYTES);
}

/// One after the other comes, and none of them goes on reading.
#[test]
fn what_slow_readers_hold_in_sum_stays_near_the_budget() {
    const BUDGET: u64 = 64 << 20;
    let downloads = Arc::new(Downloads::new(BUDGET));
    let mut held = 0;
    let _slow: Vec<_> = (0..2000)
        .map(|_| {
            let download = downloads.enter();
            let chunk = download.chunk_bytes();
            held += if Download::may_read_ahead(chunk) { 2 * chunk } else { chunk };
            download
        })
        .collect();
    assert!(held < 2 * BUDGET, "{held}");
}
