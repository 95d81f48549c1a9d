use std::pin::Pin;
use std::time::Duration;
use std::time::Instant;

use futures_util::future::join_all;
use tokio::time::Sleep;

use super::*;

/// A body that arrives a piece at a time, with a rest after each.
struct Drip {
    rest: Bytes,
    piece: usize,
    every: Duration,
    next: Pin<Box<Sleep>>,
}

impl Drip {
    fn new(body: Vec<u8>, piece: usize, every: Duration) -> Self {
        Self { rest: body.into(), piece, every, next: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }
}

impl ByteSource for Drip {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        std::task::ready!(self.next.as_mut().poll(cx));
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        self.next = Box::pin(tokio::time::sleep(self.every));
        let piece = self.piece.min(self.rest.len());
        Poll::Ready(Some(Ok(self.rest.split_to(piece))))
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn promises(&self) -> Promises {
        Promises::default()
    }
}

/// Twice as many uploads as there are buffers send a little and then nothing. One more must not starve.
#[tokio::test]
async fn slow_uploads_do_not_keep_their_buffers_from_others() {
    let fixture = Fixture::new(1, 1);
    let count = fixture.store.parts.buffers_free();
    let slow = (0..2 * count).map(|_| {
        let store = Arc::clone(&fixture.store);
        async move {
            let mut source = Drip::new(body(1, 200_001), 100_001, Duration::from_secs(600));
            let _ = store.stage(&mut source, plan(Promises::default())).await;
        }
    });
    let slow = join_all(slow);
    let good = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = Instant::now();
        for number in 0..20 {
            fixture.stage(&body(number, LARGE)).await;
        }
        begun.elapsed()
    };
    let took = tokio::select! {
        _ = slow => unreachable!("they do not end"),
        took = good => took,
    };
    assert!(took < Duration::from_secs(30), "{took:?}");
}

/// Whatever was written of a buffer that was given back, the object is what was sent.
#[tokio::test]
async fn an_upload_that_gave_its_buffer_back_goes_on() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    let sent = body(9, 700_123);
    let held = fixture.store.parts.hold_all_but(1);
    let mut source = Drip::new(sent.clone(), 100_003, Duration::from_millis(600));
    let staged = fixture.store.stage(&mut source, plan(Promises::default())).await.unwrap();
    drop(held);
    assert_eq!(staged.size, 700_123);
    fixture.store.put_object(&bucket, &name("key"), NewObject::default(), staged, always).await.unwrap();
    assert!(fixture.get(&bucket, "key").await.unwrap() == sent);
}

/// A crowd of readers gets small chunks, and each the right bytes.
#[tokio::test]
async fn a_crowd_of_downloads_reads_in_small_chunks() {
    let fixture = Fixture::new(2, 2);
    let bucket = fixture.bucket("bucket").await;
    fixture.put(&bucket, "key", &body(1, LARGE)).await;
    let object = fixture.object(&bucket, "key").await.unwrap();
    let (id, key) = (bucket.record.id, name("key"));
    let open = || fixture.store.open(id, &key, &object, 5..LARGE as u64);
    let mut crowd = Vec::new();
    for _ in 0..1000 {
        crowd.push(open().await.ok().unwrap());
    }
    let mut last = crowd.pop().unwrap();
    let first = std::future::poll_fn(|cx| last.poll_next(cx)).await.unwrap().unwrap();
    assert!(first.len() <= 16 << 10, "{}", first.len());
    let rest = drain(&mut last).await.unwrap();
    assert!([&first[..], &rest].concat() == body(1, LARGE)[5..]);
    drop(crowd);
    let mut alone = open().await.ok().unwrap();
    let first = std::future::poll_fn(|cx| alone.poll_next(cx)).await.unwrap().unwrap();
    assert!(first.len() > 256 << 10, "{}", first.len());
}

/// Bodies that nobody has a buffer for wait in the memory of their connections. No more of them than is of use.
#[tokio::test]
async fn uploads_beyond_those_that_may_wait_are_refused_at_once() {
    let fixture = Fixture::new(1, 1);
    let count = fixture.store.parts.buffers_free();
    let held = fixture.store.parts.hold_all_but(0);
    let sent = body(3, 100_000);
    let stage = || async {
        let mut source = Body::new(&sent);
        fixture.store.stage(&mut source, plan(Promises::default())).await
    };
    let mut waiting: Vec<_> = (0..4 * count).map(|_| Box::pin(stage())).collect();
    let late = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let begun = Instant::now();
        let refused = stage().await;
        (refused, begun.elapsed())
    };
    let (refused, took) = tokio::select! {
        _ = join_all(waiting.iter_mut()) => unreachable!("there is no buffer"),
        late = late => late,
    };
    assert!(matches!(refused, Err(StageError::Store(Error::Overloaded))));
    assert!(took < Duration::from_secs(2), "{took:?}");
    // Those that waited are served when there is room.
    drop(held);
    for staged in join_all(waiting).await {
        staged.unwrap();
    }
}
