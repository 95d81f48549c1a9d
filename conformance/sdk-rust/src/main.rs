//! The AWS SDK for Rust.

mod checks;
mod faults;
mod listing;
mod objects;
mod uploads;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::BehaviorVersion;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use checks::check;
use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// The client, its bucket, and what several checks need.
pub struct Suite {
    pub client: Client,
    pub bucket: String,
}

impl Suite {
    fn new() -> Self {
        let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        let keys = Credentials::new(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "environment",
        );
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(variable("HOLDALL_ENDPOINT"))
            .region(Region::new(variable("AWS_REGION")))
            .credentials_provider(keys)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970")
            .as_nanos();
        Self {
            client: Client::from_conf(config),
            bucket: format!("sdk-rust-{now:x}"),
        }
    }

    pub async fn put(&self, key: &str, body: Vec<u8>) -> Result<String, String> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(body));
        let reply = request.send().await.map_err(explain)?;
        reply
            .e_tag()
            .map(str::to_owned)
            .ok_or_else(|| "no ETag".to_owned())
    }

    pub async fn get(&self, key: &str) -> Result<Vec<u8>, String> {
        let reply = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(explain)?;
        // Collecting verifies the checksum that came along.
        Ok(reply
            .body
            .collect()
            .await
            .map_err(|reason| reason.to_string())?
            .to_vec())
    }
}

/// An error with its causes.
pub fn explain<E: Error>(error: E) -> String {
    DisplayErrorContext(error).to_string()
}

/// The call must be refused with this S3 code and HTTP status.
pub fn refused<T, E: ProvideErrorMetadata>(
    reply: Result<T, SdkError<E>>,
    code: &str,
    status: u16,
) -> checks::Outcome {
    let Err(error) = reply else {
        return Err(format!("must be refused with {status} {code}, but succeeded"));
    };
    let got_status = error.raw_response().map(|response| response.status().as_u16());
    let got_code = error.code().unwrap_or("no code").to_owned();
    checks::equal((got_status, got_code), (Some(status), code.to_owned()), "refusal")
}

#[tokio::main]
async fn main() -> ExitCode {
    let suite = Suite::new();
    let passed = [
        check("create, head and list buckets", objects::buckets(&suite)).await,
        check(
            "put, get, head, with metadata and default checksums",
            objects::put_get(&suite),
        )
        .await,
        check("ranges", objects::ranges(&suite)).await,
        check("checksums of every kind", objects::checksums(&suite)).await,
        check("conditional writes and reads", objects::conditional(&suite)).await,
        check("copy", objects::copy(&suite)).await,
        check("presigned PUT and GET", objects::presigned(&suite)).await,
        check(
            "multipart: 21 MiB with default checksums, list, complete",
            uploads::multipart(&suite),
        )
        .await,
        check(
            "multipart: CRC64NVME of the full object",
            uploads::full_object(&suite),
        )
        .await,
        check("multipart: abort", uploads::abort(&suite)).await,
        check("odd keys", listing::odd_keys(&suite)).await,
        check(
            "list 1,050 keys: pages, folders, start_after; bulk delete",
            listing::many(&suite),
        )
        .await,
        check(
            "errors: NoSuchKey, NotFound, NoSuchBucket, BucketNotEmpty",
            faults::errors(&suite),
        )
        .await,
        check("empty the bucket and delete it", listing::clean(&suite)).await,
    ];
    if passed.iter().all(|passed| *passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
