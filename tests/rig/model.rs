//! The reference: what a store answers, from maps in memory. No disk, no failure, no time.
//!
//! It is small enough to be read in one go and to be believed. The model and sweep tests compare a store with it after
//! every step. A unit test that needs no more than right answers can take it as its store: it needs std alone, so
//! `#[path = "…/tests/rig/model.rs"] mod model;` is all it takes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The bytes of an object or part; cloning is cheap.
pub type Bytes = Arc<[u8]>;

/// Names and sizes, of which common prefixes have none, and whether there is more.
pub type Listing = (Vec<(String, Option<u64>)>, bool);

/// What a store refuses, and so does the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NoSuchBucket,
    BucketExists,
    BucketNotEmpty,
    NoSuchKey,
    NoSuchUpload,
    PreconditionFailed,
}

/// What must be under the key for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Always,
    /// `If-None-Match: *`
    IfAbsent,
    /// `If-Match` with the entity tag of what is there, when something is.
    IfMatch,
    /// `If-Match` with a tag that nothing has.
    IfOther,
}

/// Which part of a listing.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub after: Option<String>,
    pub limit: usize,
}

/// Buckets with their objects, and the uploads that are known.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub buckets: BTreeMap<String, BTreeMap<String, Bytes>>,
    pub uploads: BTreeMap<u64, Upload>,
    begun: u64,
}

/// A multipart upload.
#[derive(Debug, Clone)]
pub struct Upload {
    pub bucket: String,
    pub key: String,
    pub parts: BTreeMap<u16, Bytes>,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Completed,
    Aborted,
}

impl Model {
    pub fn create_bucket(&mut self, bucket: &str) -> Result<(), Refusal> {
        if self.buckets.contains_key(bucket) {
            return Err(Refusal::BucketExists);
        }
        self.buckets.insert(bucket.to_owned(), BTreeMap::new());
        Ok(())
    }

    /// Its uploads go with it.
    pub fn delete_bucket(&mut self, bucket: &str) -> Result<(), Refusal> {
        if !self.bucket(bucket)?.is_empty() {
            return Err(Refusal::BucketNotEmpty);
        }
        self.buckets.remove(bucket);
        self.uploads.retain(|_, upload| upload.bucket != bucket);
        Ok(())
    }

    pub fn put(
        &mut self,
        bucket: &str,
        key: &str,
        bytes: Bytes,
        condition: Condition,
    ) -> Result<(), Refusal> {
        let objects = self.bucket(bucket)?;
        let holds = match condition {
            Condition::Always => true,
            Condition::IfAbsent => !objects.contains_key(key),
            Condition::IfMatch => objects.contains_key(key),
            Condition::IfOther => false,
        };
        if !holds {
            return Err(Refusal::PreconditionFailed);
        }
        objects.insert(key.to_owned(), bytes);
        Ok(())
    }

    /// Whether there was something to delete.
    pub fn delete(&mut self, bucket: &str, key: &str) -> Result<bool, Refusal> {
        Ok(self.bucket(bucket)?.remove(key).is_some())
    }

    /// A range of an object, cut to what there is.
    pub fn get(&self, bucket: &str, key: &str, range: Range<u64>) -> Result<Vec<u8>, Refusal> {
        let objects = self.buckets.get(bucket).ok_or(Refusal::NoSuchBucket)?;
        let bytes = objects.get(key).ok_or(Refusal::NoSuchKey)?;
        let cut = |at: u64| at.min(bytes.len() as u64) as usize;
        Ok(bytes[cut(range.start)..cut(range.end)].to_vec())
    }

    pub fn copy(&mut self, from: (&str, &str), to: (&str, &str)) -> Result<(), Refusal> {
        let bytes = self.bucket(from.0)?.get(from.1).cloned();
        let bytes = self.bucket(to.0).and(bytes.ok_or(Refusal::NoSuchKey))?;
        self.put(to.0, to.1, bytes, Condition::Always)
    }

    /// Objects in the order of their keys, those that share a prefix up to the delimiter as one.
    pub fn list(&self, bucket: &str, query: &Query) -> Result<Listing, Refusal> {
        let objects = self.buckets.get(bucket).ok_or(Refusal::NoSuchBucket)?;
        let mut items: Vec<(String, Option<u64>)> = Vec::new();
        for (key, bytes) in objects.iter().filter(|(key, _)| key.starts_with(&query.prefix)) {
            let rest = &key[query.prefix.len()..];
            let end =
                query.delimiter.as_ref().and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
            let item = match end {
                Some(end) => (key[..query.prefix.len() + end].to_owned(), None),
                None => (key.clone(), Some(bytes.len() as u64)),
            };
            let behind = query.after.as_ref().is_none_or(|after| key > after && item.0 != *after);
            if behind && items.last() != Some(&item) {
                items.push(item);
            }
        }
        let truncated = items.len() > query.limit;
        items.truncate(query.limit);
        Ok((items, truncated))
    }

    /// Begins an upload; its number.
    pub fn begin(&mut self, bucket: &str, key: &str) -> Result<u64, Refusal> {
        self.bucket(bucket)?;
        self.begun += 1;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.uploads.insert(self.begun, Upload { bucket, key, parts: BTreeMap::new(), state: State::Open });
        Ok(self.begun)
    }

    pub fn part(&mut self, upload: u64, number: u16, bytes: Bytes) -> Result<(), Refusal> {
        self.open(upload)?.parts.insert(number, bytes);
        Ok(())
    }

    /// Makes an object of all parts. Again, it answers the same and does nothing.
    pub fn complete(&mut self, upload: u64) -> Result<(), Refusal> {
        if self.uploads.get(&upload).is_some_and(|upload| upload.state == State::Completed) {
            return Ok(());
        }
        let Upload { bucket, key, parts, state } = self.open(upload)?;
        *state = State::Completed;
        let (bucket, key) = (bucket.clone(), key.clone());
        let bytes: Vec<u8> = std::mem::take(parts).values().flat_map(|part| part.iter().copied()).collect();
        self.put(&bucket, &key, bytes.into(), Condition::Always)
    }

    pub fn abort(&mut self, upload: u64) -> Result<(), Refusal> {
        self.open(upload)?.state = State::Aborted;
        Ok(())
    }

    /// Numbers of the open uploads of a bucket.
    pub fn open_uploads(&self, bucket: &str) -> Vec<u64> {
        let open = |upload: &Upload| upload.bucket == bucket && upload.state == State::Open;
        self.uploads.iter().filter(|(_, upload)| open(upload)).map(|(number, _)| *number).collect()
    }

    /// Uploads that have ended are no longer known.
    pub fn forget_ended(&mut self) {
        self.uploads.retain(|_, upload| upload.state == State::Open);
    }

    fn bucket(&mut self, bucket: &str) -> Result<&mut BTreeMap<String, Bytes>, Refusal> {
        self.buckets.get_mut(bucket).ok_or(Refusal::NoSuchBucket)
    }

    fn open(&mut self, upload: u64) -> Result<&mut Upload, Refusal> {
        let open = self.uploads.get_mut(&upload).filter(|upload| upload.state == State::Open);
        open.ok_or(Refusal::NoSuchUpload)
    }
}
