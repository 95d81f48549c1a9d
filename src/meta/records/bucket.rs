//! A bucket.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Record;
use crate::base::BucketId;
use crate::base::Timestamp;

/// A bucket and its configuration documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its id for its lifetime.
    pub id: BucketId,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// Canonical id of its owner.
    pub owner: String,
    /// The region it was created in.
    pub region: String,
    /// Configuration documents by sub-resource; none are stored yet.
    pub documents: BTreeMap<String, Vec<u8>>,
}

impl Record for Bucket {}
