use super::*;

#[tokio::test]
async fn a_flipped_bit_is_never_served_and_another_copy_is() {
    damaged_copies_are_passed_over(|path| change(path, |bytes| bytes[LARGE / 2] ^= 1)).await;
}

#[tokio::test]
async fn a_flipped_bit_of_the_footer_is_found_as_well() {
    damaged_copies_are_passed_over(|path| {
        change(path, |bytes| {
            let at = bytes.len() - 30;
            bytes[at] ^= 1;
        });
    })
    .await;
}
