#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn generated_credentials_survive_their_file() {
    let text = write_credentials_file("ROOTROOTROOT", "wonderful-secret");
    let (access_key, secret_key) = read_credentials_file(Path::new("/d/credentials.toml"), &text).unwrap();
    assert_eq!((access_key.as_str(), secret_key.as_str()), ("ROOTROOTROOT", "wonderful-secret"));
}

#[test]
fn half_a_file_is_refused_by_name_and_without_its_secret() {
    for text in [
        "",
        "[credentials]\naccess_key = \"ROOT\"\n",
        "[credentials]\nsecret_key = \"wonderful-secret\"\n",
        "[credentials]\naccess_key = \"ROOT\"\nsecret_key = \"wonderful",
        "[credentials]\naccess_key = \"ROOT\"\nsecret_key = \"wonderful secret\"\n",
    ] {
        let refused = read_credentials_file(Path::new("/d/credentials.toml"), text).unwrap_err().to_string();
        assert!(refused.contains("/d/credentials.toml"), "{refused}");
        assert!(!refused.contains("wonderful"), "{refused}");
    }
}
