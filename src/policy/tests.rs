#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn root(access_key: &str) -> Identity {
    Identity::Root { access_key: access_key.to_owned() }
}

#[test]
fn root_may_do_everything_and_anonymous_nothing() {
    let bucket = BucketName::new("photos").unwrap();
    let accesses = [Access::new("s3:ListBucket", Some(&bucket), None)];
    assert!(decide(&root("key"), &accesses).is_ok());
    assert_eq!(decide(&Identity::Anonymous, &accesses), Err(Denied));
}

#[test]
fn no_access_asked_is_denied_to_everybody() {
    assert_eq!(decide(&root("key"), &[]), Err(Denied));
    assert_eq!(decide(&Identity::Anonymous, &[]), Err(Denied));
}

#[test]
fn the_canonical_id_survives_a_rotation_of_keys() {
    let accesses = [Access::new("s3:ListAllMyBuckets", None, None)];
    let before = decide(&root("old"), &accesses).unwrap();
    let after = decide(&root("new"), &accesses).unwrap();
    assert_eq!(before.canonical_id(), after.canonical_id());
    // Objects on disk carry it: it may never change.
    assert_eq!(before.canonical_id(), "d7d7a92c40f0c180ca663ef4ef20c155207294867a5bfdc2b19c0ceebaaa67b6");
    assert_eq!(before.display_name(), "root");
}

#[test]
fn resources_are_named_as_policies_name_them() {
    let bucket = BucketName::new("photos").unwrap();
    let key = ObjectKey::new("a/b c").unwrap();
    assert_eq!(
        Access::new("s3:GetObject", Some(&bucket), Some(&key)).resource(),
        "arn:aws:s3:::photos/a/b c"
    );
    assert_eq!(Access::new("s3:ListBucket", Some(&bucket), None).resource(), "arn:aws:s3:::photos");
    assert_eq!(Access::new("s3:ListAllMyBuckets", None, None).resource(), "*");
}
