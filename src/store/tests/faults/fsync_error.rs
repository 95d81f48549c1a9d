use std::collections::HashSet;

use super::*;

/// The kernel may have dropped the pages of a file whose sync failed: a second one would succeed and mean nothing.
#[tokio::test]
async fn a_failed_sync_is_not_repeated_on_the_same_file() {
    let ward = Ward::new(3, 3).await;
    ward.break_volume(2, On::Syncs, Fault::Errno(EIO));
    for key in ["a", "b", "c", "d"] {
        ward.put(key, &body_of(key)).await;
        ward.get(key).await;
    }
    assert_eq!(ward.missing(), [1; 4]);
    let synced = ward.faults.failed_syncs.lock().clone();
    let parts: Vec<_> = synced.iter().filter(|path| !path.ends_with("probe")).collect();
    assert!(!parts.is_empty());
    assert_eq!(parts.iter().collect::<HashSet<_>>().len(), parts.len(), "{parts:?}");
}
