use super::*;

#[tokio::test]
async fn an_empty_part_is_found_and_another_copy_served() {
    damaged_copies_are_passed_over(|path| change(path, Vec::clear)).await;
}
