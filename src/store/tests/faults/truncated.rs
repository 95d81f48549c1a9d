use super::*;

#[tokio::test]
async fn a_truncated_part_is_found_and_another_copy_served() {
    damaged_copies_are_passed_over(|path| change(path, |bytes| bytes.truncate(1000))).await;
}
