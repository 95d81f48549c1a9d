//! Counters that operators read; the one home of the `prometheus` crate.

use prometheus::Encoder as _;
use prometheus::GaugeVec;
use prometheus::Histogram;
use prometheus::HistogramOpts;
use prometheus::HistogramVec;
use prometheus::IntCounter;
use prometheus::IntCounterVec;
use prometheus::IntGauge;
use prometheus::IntGaugeVec;
use prometheus::Opts;
use prometheus::Registry;
use prometheus::TextEncoder;

/// Every metric of the server. Names and labels are listed in `docs/operations.md`.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    received_bytes: IntCounter,
    sent_bytes: IntCounter,
    /// Open connections to the S3 listener.
    pub connections: IntGauge,
    /// Handlers that panicked; stays at zero.
    pub panics: IntCounter,
    commits: IntCounter,
    commit_group: Histogram,
    commit_seconds: Histogram,
    /// Copies that were dropped from a write.
    pub copies_dropped: IntCounter,
    /// Copies that a read found bad or missing its bytes.
    pub copies_bad: IntCounter,
    /// Reads that asked another copy because the first was slow.
    pub reads_hedged: IntCounter,
    /// Blobs of which a copy was made anew.
    pub repaired_blobs: IntCounter,
    /// Bytes written for them.
    pub repaired_bytes: IntCounter,
    blobs: IntGaugeVec,
    repair_queue: IntGaugeVec,
    /// Blobs without a good copy on any volume that answers.
    pub blobs_lost: IntGauge,
    /// Copies where they do not belong.
    pub misplaced_copies: IntGauge,
    /// Bad copies that are kept.
    pub quarantined_files: IntGauge,
    scrub: IntGaugeVec,
    job_states: IntGaugeVec,
    volume_capacity: IntGaugeVec,
    volume_available: IntGaugeVec,
    volume_state: IntGaugeVec,
    volume_seconds: GaugeVec,
}

/// What is shown of a volume.
#[derive(Debug, Clone)]
pub struct VolumeFigures {
    /// Its id.
    pub volume: String,
    /// Where it is, or should be.
    pub path: String,
    /// What is wanted of it: active or draining.
    pub state: &'static str,
    /// How it is doing.
    pub health: &'static str,
    /// Size of its disk in bytes.
    pub capacity_bytes: u64,
    /// Room on its disk in bytes; `None` while it does not tell.
    pub available_bytes: Option<u64>,
    /// Recent time of a read of a chunk.
    pub read_seconds: f64,
    /// Recent time of making a part durable.
    pub sync_seconds: f64,
}

/// Latency buckets from a cached HEAD to a slow disk.
const SECONDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

impl Metrics {
    /// Registers everything; fails only when two metrics have one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("holdall_requests_total", "S3 requests by operation and status"),
                &["operation", "status"],
            )?,
            request_seconds: HistogramVec::new(
                HistogramOpts::new("holdall_request_seconds", "Time to the end of the reply")
                    .buckets(SECONDS.to_vec()),
                &["operation"],
            )?,
            received_bytes: IntCounter::new("holdall_received_bytes_total", "Bytes of request bodies")?,
            sent_bytes: IntCounter::new("holdall_sent_bytes_total", "Bytes of reply bodies")?,
            connections: IntGauge::new("holdall_connections", "Open connections")?,
            panics: IntCounter::new("holdall_panics_total", "Handlers that panicked")?,
            commits: IntCounter::new("holdall_commits_total", "Metadata transactions committed")?,
            commit_group: Histogram::with_opts(
                HistogramOpts::new("holdall_commit_group", "Transactions that shared one sync")
                    .buckets(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0]),
            )?,
            commit_seconds: Histogram::with_opts(
                HistogramOpts::new("holdall_commit_seconds", "Time of one synced metadata write")
                    .buckets(SECONDS.to_vec()),
            )?,
            copies_dropped: IntCounter::new("holdall_copies_dropped_total", "Copies dropped from a write")?,
            copies_bad: IntCounter::new("holdall_copies_bad_total", "Copies that a read found bad")?,
            reads_hedged: IntCounter::new(
                "holdall_reads_hedged_total",
                "Reads that asked another copy because the first was slow",
            )?,
            repaired_blobs: IntCounter::new("holdall_repaired_blobs_total", "Blobs that got a new copy")?,
            repaired_bytes: IntCounter::new("holdall_repaired_bytes_total", "Bytes of new copies")?,
            blobs: gauges("holdall_blobs", "Blobs by their copies on volumes that answer", &["copies"])?,
            repair_queue: gauges("holdall_repair_queue", "Blobs by the copies they miss", &["missing"])?,
            blobs_lost: IntGauge::new("holdall_blobs_lost", "Blobs of which no good copy answers")?,
            misplaced_copies: IntGauge::new("holdall_misplaced_copies", "Copies that are not at home")?,
            quarantined_files: IntGauge::new("holdall_quarantined_files", "Bad copies that are kept")?,
            scrub: gauges("holdall_scrub", "The last pass: age in seconds, bytes read, bad copies", &["of"])?,
            job_states: gauges("holdall_job_state", "1 for the state a job is in", &["job", "state"])?,
            volume_capacity: IntGaugeVec::new(
                Opts::new("holdall_volume_capacity_bytes", "Size of a volume's disk"),
                &["volume", "path"],
            )?,
            volume_available: IntGaugeVec::new(
                Opts::new("holdall_volume_available_bytes", "Room on a volume's disk"),
                &["volume", "path"],
            )?,
            volume_state: IntGaugeVec::new(
                Opts::new("holdall_volume_state", "1 for what a volume should do and how it is doing"),
                &["volume", "path", "state", "health"],
            )?,
            volume_seconds: GaugeVec::new(
                Opts::new(
                    "holdall_volume_recent_seconds",
                    "Moving average of what a volume takes for a read or a sync",
                ),
                &["volume", "path", "operation"],
            )?,
            registry,
        };
        metrics.register()?;
        metrics.repair_queue(&[]);
        Ok(metrics)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        let registry = &self.registry;
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.request_seconds.clone()))?;
        for counter in [
            &self.received_bytes,
            &self.sent_bytes,
            &self.panics,
            &self.commits,
            &self.copies_dropped,
            &self.copies_bad,
            &self.reads_hedged,
            &self.repaired_blobs,
            &self.repaired_bytes,
        ] {
            registry.register(Box::new(counter.clone()))?;
        }
        for gauge in [&self.connections, &self.blobs_lost, &self.misplaced_copies, &self.quarantined_files] {
            registry.register(Box::new(gauge.clone()))?;
        }
        registry.register(Box::new(self.volume_seconds.clone()))?;
        for gauges in [
            &self.blobs,
            &self.repair_queue,
            &self.scrub,
            &self.job_states,
            &self.volume_capacity,
            &self.volume_available,
            &self.volume_state,
        ] {
            registry.register(Box::new(gauges.clone()))?;
        }
        registry.register(Box::new(self.commit_group.clone()))?;
        registry.register(Box::new(self.commit_seconds.clone()))
    }

    /// A request has been answered.
    pub fn request(&self, operation: &str, status: u16, seconds: f64) {
        self.requests.with_label_values(&[operation, itoa::Buffer::new().format(status)]).inc();
        self.request_seconds.with_label_values(&[operation]).observe(seconds);
    }

    /// Body bytes have passed.
    pub fn bytes(&self, received: u64, sent: u64) {
        self.received_bytes.inc_by(received);
        self.sent_bytes.inc_by(sent);
    }

    /// `size` transactions became durable in one write.
    pub fn commit_group(&self, size: usize, seconds: f64) {
        self.commits.inc_by(size as u64);
        self.commit_group.observe(size as f64);
        self.commit_seconds.observe(seconds);
    }

    /// How many blobs have so many copies: the number of copies is the index.
    pub fn blobs_by_copies(&self, blobs: &[u64]) {
        set_all(&self.blobs, blobs);
    }

    /// How many blobs wait for so many copies: the number of copies is the index.
    pub fn repair_queue(&self, blobs: &[u64]) {
        // A series that is absent while there is nothing to repair cannot be told from a server that does not say.
        set_all(&self.repair_queue, if blobs.is_empty() { &[0, 0] } else { blobs });
    }

    /// The last pass of the scrub: its age, what it read, what it found.
    pub fn scrub(&self, age_seconds: i64, bytes: i64, bad: i64) {
        for (of, value) in [("age_seconds", age_seconds), ("bytes", bytes), ("bad", bad)] {
            self.scrub.with_label_values(&[of]).set(value);
        }
    }

    /// The state a job is in, of all there are.
    pub fn job_state(&self, job: &str, state: &str, states: &[&str]) {
        for one in states {
            self.job_states.with_label_values(&[job, one]).set(i64::from(*one == state));
        }
    }

    /// These are the volumes now.
    pub fn volumes(&self, volumes: &[VolumeFigures]) {
        for gauge in [&self.volume_capacity, &self.volume_available, &self.volume_state] {
            gauge.reset();
        }
        self.volume_seconds.reset();
        let clamp = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        for one in volumes {
            let place = [&*one.volume, &*one.path];
            self.volume_capacity.with_label_values(&place).set(clamp(one.capacity_bytes));
            if let Some(available) = one.available_bytes {
                self.volume_available.with_label_values(&place).set(clamp(available));
            }
            let state = [&*one.volume, &*one.path, one.state, one.health];
            self.volume_state.with_label_values(&state).set(1);
            for (operation, seconds) in [("read", one.read_seconds), ("sync", one.sync_seconds)] {
                let labels = [&*one.volume, &*one.path, operation];
                self.volume_seconds.with_label_values(&labels).set(seconds);
            }
        }
    }

    /// The text form that Prometheus scrapes.
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        // Encoding into memory fails only for metrics that are malformed, which `new` would have refused.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8(text).unwrap_or_default()
    }
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}

/// Sets the gauge of each index; those of an earlier, longer list go.
fn set_all(gauges: &IntGaugeVec, values: &[u64]) {
    gauges.reset();
    for (index, value) in values.iter().enumerate() {
        let value = i64::try_from(*value).unwrap_or(i64::MAX);
        gauges.with_label_values(&[itoa::Buffer::new().format(index)]).set(value);
    }
}
