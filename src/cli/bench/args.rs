//! The command line of `holdall bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::Subcommand;

use crate::cli::bench::units::parse_size;
use crate::cli::bench::units::parse_span;

/// Measures an S3 server: throughput, latency, and the server's CPU time and memory when its process ids are given.
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write new objects
    Put(SingleArgs),
    /// Read prepared objects, picked at random
    Get(SingleArgs),
    /// Ask for the metadata of prepared objects, picked at random
    Head(SingleArgs),
    /// Delete prepared objects, each once; ends when they are used up
    Delete(SingleArgs),
    /// List prepared objects in pages of 1,000 (one operation is one page)
    List(SingleArgs),
    /// 45 % get, 30 % head, 15 % put, 10 % delete
    Mixed(SingleArgs),
    /// Write objects in parts (one operation is one whole object)
    Multipart(SingleArgs),
    /// Measure several servers in turn and print one table with ratios
    Compare(CompareArgs),
}

/// What a worker does, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// PutObject with a new key.
    Put,
    /// GetObject.
    Get,
    /// HeadObject.
    Head,
    /// DeleteObject of an existing key.
    Delete,
    /// One page of ListObjectsV2.
    List,
    /// A blend of get, head, put and delete.
    Mixed,
    /// CreateMultipartUpload, its parts, CompleteMultipartUpload.
    Multipart,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 7] =
        [Self::Put, Self::Get, Self::Head, Self::Delete, Self::List, Self::Mixed, Self::Multipart];

    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Head => "head",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Mixed => "mixed",
            Self::Multipart => "multipart",
        }
    }
}

/// A command line that was understood.
pub enum Command {
    /// One operation against one server.
    Single(Operation, SingleArgs),
    /// A set of workloads against several.
    Compare(CompareArgs),
}

impl BenchArgs {
    /// What is asked.
    pub fn command(self) -> Command {
        match self.verb {
            Verb::Put(args) => Command::Single(Operation::Put, args),
            Verb::Get(args) => Command::Single(Operation::Get, args),
            Verb::Head(args) => Command::Single(Operation::Head, args),
            Verb::Delete(args) => Command::Single(Operation::Delete, args),
            Verb::List(args) => Command::Single(Operation::List, args),
            Verb::Mixed(args) => Command::Single(Operation::Mixed, args),
            Verb::Multipart(args) => Command::Single(Operation::Multipart, args),
            Verb::Compare(args) => Command::Compare(args),
        }
    }
}

/// How requests are made, the same for one server or several.
#[derive(Debug, Clone, Args)]
pub struct ClientArgs {
    /// Region that signatures name
    #[arg(long, default_value = "us-east-1", env = "AWS_REGION")]
    pub region: String,
    /// Bucket to work in; created when it is missing
    #[arg(long, default_value = "holdall-bench")]
    pub bucket: String,
    /// How long to measure
    #[arg(long, default_value = "10s", value_parser = parse_span)]
    pub duration: Duration,
    /// How long to run before measuring (never before delete, which would use up what it measures)
    #[arg(long, default_value = "1s", value_parser = parse_span)]
    pub warm_up: Duration,
    /// Sign SHA-256 of the bodies too, instead of UNSIGNED-PAYLOAD
    #[arg(long)]
    pub sign_payload: bool,
    /// Compare every byte that get reads with what was written, instead of dropping it in the kernel
    #[arg(long)]
    pub verify: bool,
    /// Acknowledge every segment at once (TCP_QUICKACK), for servers that wait for that with half a reply unsent
    #[arg(long)]
    pub quickack: bool,
    /// Length of a part of multipart
    #[arg(long, default_value = "8MiB", value_parser = parse_size)]
    pub part_size: u64,
    /// Leave the objects in the bucket at the end
    #[arg(long)]
    pub keep: bool,
    /// Count the processes that the given ones started, too
    #[arg(long)]
    pub children: bool,
    /// No progress bar
    #[arg(long)]
    pub quiet: bool,
}

/// `holdall bench put` and the other single operations.
#[derive(Debug, Args)]
pub struct SingleArgs {
    /// Where the server listens: http://HOST:PORT
    #[arg(long, default_value = "http://127.0.0.1:9000")]
    pub endpoint: String,
    /// Access key; without one requests are not signed
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    pub access_key: Option<String>,
    /// Secret key
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub secret_key: Option<String>,
    /// Length of an object [default: 4KiB; list 128; multipart 64MiB]
    #[arg(long, value_parser = parse_size)]
    pub size: Option<u64>,
    /// Connections, each with one request at a time [default: 16; list 1; multipart 2]
    #[arg(long)]
    pub concurrency: Option<usize>,
    /// Objects to prepare for get, head, delete, list and mixed [default: 5000 at 4 KiB, fewer when larger]
    #[arg(long)]
    pub objects: Option<u64>,
    /// Process ids of the server on this machine: adds CPU time per operation and peak memory
    #[arg(long, value_delimiter = ',')]
    pub pid: Vec<u32>,
    /// Write the report here as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// How requests are made.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `holdall bench compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// NAME=URL[,ACCESS_KEY,SECRET_KEY[,PID…]]; the first one is compared with the best of the others
    #[arg(long, required = true)]
    pub target: Vec<String>,
    /// NAME=TEXT: version, options and durability of a target, printed with the table
    #[arg(long)]
    pub describe: Vec<String>,
    /// OPERATION[:SIZE[:CONCURRENCY[:OBJECTS]]], or `standard` for the whole set
    #[arg(long, value_delimiter = ',', default_value = "standard")]
    pub workloads: Vec<String>,
    /// How often each target runs each workload; the table has the medians
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Pause before each run, so that what the last one left behind does not count
    #[arg(long, default_value = "2s", value_parser = parse_span)]
    pub settle: Duration,
    /// Write all runs here as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Write the table here as Markdown
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// How requests are made.
    #[command(flatten)]
    pub client: ClientArgs,
}
