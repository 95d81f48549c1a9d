#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::mpsc;

use super::*;

#[tokio::test]
async fn a_job_that_nobody_waits_for_frees_what_it_holds_and_does_nothing() {
    let pool = Pool::new("test", 1);
    let (open, gate) = mpsc::channel::<()>();
    let stuck = pool.start(move || gate.recv()).unwrap();
    let held = Arc::new(());
    let (holds, ran) = (Arc::clone(&held), Arc::new(AtomicUsize::new(0)));
    let runs = Arc::clone(&ran);
    let queued = pool
        .start_wanted(move || {
            drop(holds);
            runs.fetch_add(1, Ordering::Relaxed);
        })
        .unwrap();
    assert_eq!(Arc::strong_count(&held), 2);
    drop(queued);
    assert_eq!(Arc::strong_count(&held), 1, "before the thread has come round to it");
    let runs = Arc::clone(&ran);
    drop(pool.start(move || runs.fetch_add(10, Ordering::Relaxed)).unwrap());
    open.send(()).unwrap();
    stuck.answer().await.unwrap().unwrap();
    pool.run(|| ()).await.unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 10, "only what is wanted without an answer has run");
}

#[tokio::test]
async fn a_panic_takes_its_answer_and_not_the_thread() {
    let pool = Pool::new("test", 1);
    assert!(pool.run(|| panic!("on purpose")).await.is_err());
    assert_eq!(pool.run(|| 7).await.unwrap(), 7);
}
