use super::*;

#[test]
fn a_failing_store_is_a_server_error_and_tells_no_cause() {
    let cases = [
        (store::Error::Unavailable { reason: "secret path".to_owned() }, ErrorCode::ServiceUnavailable, 503),
        (store::Error::Overloaded, ErrorCode::SlowDown, 503),
        (store::Error::NoSpace, ErrorCode::InsufficientStorage, 507),
        (
            store::Error::Internal { operation: "x", reason: "secret path".to_owned() },
            ErrorCode::InternalError,
            500,
        ),
    ];
    for (cause, code, status) in cases {
        let error = Error::from(cause);
        assert_eq!((error.code, error.code.status()), (code, status));
        assert!(!error.to_string().contains("secret path"));
    }
}

#[test]
fn a_wrong_body_is_the_clients_mistake() {
    for cause in [
        StageError::Md5Mismatch,
        StageError::Sha256Mismatch,
        StageError::TooLarge { max_bytes: 1 },
        StageError::ChecksumMismatch { algorithm: crate::s3::checksum::ChecksumAlgorithm::Crc32 },
    ] {
        assert_eq!(Error::from(cause).code.status(), 400);
    }
}
