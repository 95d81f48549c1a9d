#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
//! Seeded operations on a store, and the same on a map in memory: after every one the two agree, and again after
//! every restart.

#[path = "../rig/mod.rs"]
mod rig;

use std::collections::BTreeMap;

use holdall::base::UploadId;
use holdall::meta::Durability;
use holdall::meta::ListQuery;
use rig::Dice;
use rig::Rig;
use rig::body;

const KEYS: [&str; 10] = ["a", "a/b", "a//b", "a/b/c", "a\0", "b", "\u{10FFFF}", "ü/ü", "0", "a/"];
const LENGTHS: [usize; 7] = [0, 1, 4096, 4097, 65_536, 600_000, 524_288];

#[derive(Default)]
struct Model {
    objects: BTreeMap<&'static str, Vec<u8>>,
    uploads: Vec<Upload>,
}

struct Upload {
    key: &'static str,
    id: UploadId,
    parts: BTreeMap<u16, Vec<u8>>,
    /// Completed ones are asked again.
    ended: Option<bool>,
}

async fn step(rig: &Rig, model: &mut Model, dice: &mut Dice) {
    let (key, other) = (dice.one_of(&KEYS), dice.one_of(&KEYS));
    let bytes = body(dice.next(), dice.one_of(&LENGTHS));
    let uploads = model.uploads.len() as u64;
    match dice.below(16) {
        0..=4 => {
            rig.put(key, &bytes).await.unwrap();
            model.objects.insert(key, bytes);
        }
        5..=6 => assert_eq!(rig.delete(key).await.unwrap(), model.objects.remove(key).is_some()),
        7..=8 => {
            let source = model.objects.get(key).cloned();
            assert_eq!(rig.copy(key, other).await.unwrap(), source.is_some());
            source.and_then(|source| model.objects.insert(other, source));
        }
        9 => {
            let id = rig.begin(key).await.unwrap();
            model.uploads.push(Upload { key, id, parts: BTreeMap::new(), ended: None });
        }
        10..=12 if uploads > 0 => {
            let upload = &mut model.uploads[dice.below(uploads) as usize];
            let number = dice.below(5) as u16 * 2_000 + 1;
            let taken = rig.part(upload.key, &upload.id, number, &bytes).await.unwrap();
            assert_eq!(taken, upload.ended.is_none());
            if taken {
                upload.parts.insert(number, bytes);
            }
        }
        13 if uploads > 0 => {
            let upload = &mut model.uploads[dice.below(uploads) as usize];
            let done = rig.complete(upload.key, &upload.id).await.unwrap();
            assert_eq!(done, upload.ended != Some(false));
            if upload.ended.is_none() {
                model.objects.insert(upload.key, upload.parts.values().flatten().copied().collect());
                upload.ended = Some(true);
            }
        }
        14 if uploads > 0 => {
            let upload = &mut model.uploads[dice.below(uploads) as usize];
            assert_eq!(rig.abort(upload.key, &upload.id).await.unwrap(), upload.ended.is_none());
            upload.ended = upload.ended.or(Some(false));
        }
        _ => {
            let query = ListQuery {
                prefix: dice.one_of(&["", "", "a", "a/", "ü"]).to_owned(),
                delimiter: dice.one_of(&[None, Some("/"), Some("b")]).map(str::to_owned),
                after: dice.one_of(&[None, Some(key)]).map(str::to_owned),
                limit: dice.one_of(&[1, 2, 1000]),
            };
            assert_eq!(rig.list(query.clone()).await.unwrap(), listed(model, &query), "{query:?}");
        }
    }
}

fn listed(model: &Model, query: &ListQuery) -> (Vec<(String, Option<u64>)>, bool) {
    let mut items: Vec<(String, Option<u64>)> = Vec::new();
    for (key, bytes) in model.objects.iter().filter(|(key, _)| key.starts_with(&query.prefix)) {
        let rest = &key[query.prefix.len()..];
        let end =
            query.delimiter.as_ref().and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        let item = match end {
            Some(end) => (key[..query.prefix.len() + end].to_owned(), None),
            None => ((*key).to_owned(), Some(bytes.len() as u64)),
        };
        let behind = query.after.as_ref().is_none_or(|after| *key > after.as_str() && item.0 != *after);
        if behind && items.last() != Some(&item) {
            items.push(item);
        }
    }
    let truncated = items.len() > query.limit;
    items.truncate(query.limit);
    (items, truncated)
}

async fn compare(rig: &Rig, model: &Model, dice: &mut Dice) {
    for key in KEYS {
        let expected = model.objects.get(key);
        let whole = rig.get(key, 0..u64::MAX).await.unwrap();
        assert!(whole.as_ref() == expected, "{key:?}");
        let (from, length) = (dice.below(600_000), dice.below(200_000));
        let range = rig.get(key, from..from + length).await.unwrap();
        let cut = |bytes: &Vec<u8>| {
            let (from, end) = ((from as usize).min(bytes.len()), ((from + length) as usize).min(bytes.len()));
            bytes[from..end].to_vec()
        };
        assert!(range == expected.map(cut), "{length} bytes of {key:?} from {from}");
    }
    let mut open: Vec<_> = model.uploads.iter().filter(|upload| upload.ended.is_none()).collect();
    open.sort_by_key(|upload| (upload.key, upload.id));
    let open: Vec<_> = open.into_iter().map(|upload| (upload.key.to_owned(), upload.id)).collect();
    assert_eq!(rig.uploads().await.unwrap(), open);
}

async fn run(seed: u64, volumes: u8, replicas: usize) {
    println!("seed {seed}, {replicas} copies on {volumes} volumes");
    let directory = tempfile::tempdir().unwrap();
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut model = Model::default();
    for _ in 0..4 {
        let rig = Rig::open(directory.path(), volumes, replicas, Durability::Relaxed).await.unwrap();
        compare(&rig, &model, &mut dice).await;
        for _ in 0..60 {
            step(&rig, &mut model, &mut dice).await;
        }
        compare(&rig, &model, &mut dice).await;
        // Completed uploads that were forgotten are no longer known.
        rig.tidy_up().await.unwrap();
        model.uploads.retain(|upload| upload.ended.is_none());
        rig.check_books(replicas).await.unwrap();
        compare(&rig, &model, &mut dice).await;
    }
}

#[tokio::test]
async fn one_volume_agrees_with_the_model() {
    for seed in 1..=3 {
        run(seed, 1, 1).await;
    }
}

#[tokio::test]
async fn several_volumes_agree_with_the_model() {
    run(4, 3, 2).await;
    run(5, 3, 3).await;
}
