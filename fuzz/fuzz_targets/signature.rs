//! The head of a request: lines of text, the first with method, path and query, the others `name: value`.
#![no_main]

use std::sync::LazyLock;

use holdall::auth::Key;
use holdall::auth::Keys;
use holdall::auth::RequestHead;
use holdall::auth::Settings;
use holdall::auth::Verifier;
use holdall::base::Identity;
use holdall::base::Timestamp;
use libfuzzer_sys::fuzz_target;

/// Nobody has a key: nothing may be taken for signed.
struct NoKeys;

impl Keys for NoKeys {
    fn find(&self, _: &str) -> Option<Key> {
        None
    }
}

static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new(Settings { region: "us-east-1".to_owned(), any_region: true }));

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let mut line = lines.next().unwrap_or_default().splitn(3, ' ');
    let (method, path, query) =
        (line.next().unwrap_or_default(), line.next().unwrap_or_default(), line.next().unwrap_or_default());
    let headers: Vec<(String, &[u8])> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_bytes()))
        .collect();
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let head = RequestHead { method, path, query, headers: &headers };
    if let Ok(authenticated) = VERIFIER.authenticate(&head, &NoKeys, Timestamp::default()) {
        assert!(matches!(authenticated.identity(), Identity::Anonymous));
    }
});
