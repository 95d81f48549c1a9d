use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What a listing must be, by the definition in the S3 API reference and nothing clever.
fn model(keys: &BTreeMap<String, u64>, query: &ListQuery) -> (Vec<String>, bool) {
    let mut names: Vec<String> = Vec::new();
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    for key in keys.keys().filter(|key| key.starts_with(&query.prefix)) {
        let rest = &key[query.prefix.len()..];
        let name = match delimiter.and_then(|delimiter| Some((rest.find(delimiter)?, delimiter))) {
            Some((at, delimiter)) => format!("{}{}", query.prefix, &rest[..at + delimiter.len()]),
            None => key.clone(),
        };
        // A prefix counts by the keys under it that lie behind the marker, and not when it is the marker.
        let behind = query.after.as_deref().is_none_or(|after| key.as_str() > after && name != after);
        if behind && names.last() != Some(&name) {
            names.push(name);
        }
    }
    let truncated = names.len() > query.limit;
    names.truncate(query.limit);
    (names, truncated)
}

fn listed(meta: &Meta, query: &ListQuery) -> (Vec<String>, bool) {
    let page = meta.list(BUCKET, query).unwrap();
    (page.items.iter().map(|item| item.name().to_owned()).collect(), page.truncated)
}

fn filled<'a>(directory: &TempDir, keys: impl Iterator<Item = &'a String>) -> Meta {
    let meta = open(directory);
    let mut transaction = Transaction::new();
    for (size, key) in keys.enumerate() {
        transaction.put(keys::current(BUCKET, key), &object(size as u64));
    }
    // Neighbours on both sides must not show.
    for bucket in [BucketId(0), BucketId(2)] {
        transaction.put(keys::current(bucket, "a"), &object(0));
        transaction.put(keys::current(bucket, "\u{10FFFF}"), &object(0));
    }
    meta.commit(transaction).unwrap();
    meta
}

/// Keys that have broken one server or another.
const ODD: [&str; 18] = [
    "\0",
    "\0\0",
    "a",
    "a\0",
    "a\0b",
    "a/",
    "a/b",
    "a/b/c",
    "a//b",
    "a/\u{10FFFF}",
    "a0",
    "aa",
    "b/",
    "//",
    "/",
    "\u{7f}",
    "\u{FFFF}x",
    "\u{10FFFF}\u{10FFFF}",
];

#[test]
fn odd_keys_are_listed_in_the_order_of_their_bytes_with_every_marker() {
    let directory = tempfile::tempdir().unwrap();
    let keys: BTreeMap<String, u64> = ODD.iter().map(|key| ((*key).to_owned(), 0)).collect();
    let meta = filled(&directory, keys.keys());
    let markers: Vec<Option<String>> =
        std::iter::once(None).chain(ODD.iter().map(|key| Some((*key).to_owned()))).collect();
    for after in markers {
        for delimiter in [None, Some("/"), Some("\0"), Some("b"), Some("//"), Some("")] {
            for prefix in ["", "a", "a/", "/", "\u{10FFFF}", "\0", "zz"] {
                for limit in [1, 2, 1000] {
                    let query = ListQuery {
                        prefix: prefix.to_owned(),
                        delimiter: delimiter.map(str::to_owned),
                        after: after.clone(),
                        limit,
                    };
                    assert_eq!(listed(&meta, &query), model(&keys, &query), "{query:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Pages of any size, one after the other, are the whole list.
    #[test]
    fn pages_are_the_list(
        keys in prop::collection::btree_map("[ab/\0\u{10FFFF}]{1,5}", 0_u64..9, 0..40),
        prefix in "[ab/]{0,2}",
        delimiter in prop::option::of("[/b]{1,2}"),
        limit in 1_usize..5,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let meta = filled(&directory, keys.keys());
        let whole = ListQuery { prefix, delimiter, after: None, limit: usize::MAX };
        let (expected, _) = model(&keys, &whole);
        prop_assert_eq!(listed(&meta, &whole), (expected.clone(), false));
        let mut query = ListQuery { limit, ..whole };
        let mut names: Vec<String> = Vec::new();
        loop {
            let (page, truncated) = listed(&meta, &query);
            prop_assert_eq!((page.clone(), truncated), model(&keys, &query));
            query.after = page.last().cloned();
            names.extend(page);
            if !truncated {
                break;
            }
        }
        prop_assert_eq!(names, expected);
    }
}
