//! Requests, put to the store and to the model.

use std::collections::BTreeMap;

use holdall::base::Md5Digest;
use holdall::base::UploadId;
use holdall::meta::ListQuery;
use holdall::meta::records::ObjectHead;
use holdall::s3::etag::ETag;
use holdall::s3::name::BucketName;
use holdall::store::DeleteBucket;
use holdall::store::NewObject;
use holdall::store::UpdateError;

use super::Outcome;
use super::Rig;
use super::body;
use super::create_bucket;
use super::model::Bytes;
use super::model::Condition;
use super::model::Listing;
use super::model::Model;
use super::model::Query;
use super::model::Refusal;
use super::name;
use super::text;

pub const BUCKETS: [&str; 2] = ["first", "second"];
pub const KEYS: [&str; 10] = ["a", "a/b", "a//b", "a/b/c", "a\0", "b", "\u{10FFFF}", "ü/ü", "0", "a/"];

/// An object: numbers of a bucket and a key.
pub type Place = (usize, usize);

/// A body: the seed of its bytes, and their number.
pub type Content = (u64, usize);

/// What a client asks for. Uploads are named by when they were begun, the last is 0.
#[derive(Debug, Clone)]
pub enum Request {
    Put(Place, Content, Condition),
    Delete(Place),
    Copy(Place, Place),
    Get(Place, u64, u64),
    List(usize, Query),
    Uploads(usize),
    Begin(Place),
    Part(usize, u16, Content),
    Complete(usize),
    Abort(usize),
    CreateBucket(usize),
    DeleteBucket(usize),
}

#[derive(Debug, PartialEq)]
pub enum Answer {
    Done(Result<(), Refusal>),
    Existed(Result<bool, Refusal>),
    Bytes(Result<Vec<u8>, Refusal>),
    Listed(Result<Listing, Refusal>),
    Uploads(Result<Vec<(String, UploadId)>, Refusal>),
}

/// What a client remembers: its uploads.
#[derive(Default)]
pub struct Client {
    /// Ids by the numbers of the model.
    ids: BTreeMap<u64, UploadId>,
    /// The last ones, the last first: number, bucket and key.
    recent: Vec<(u64, Place)>,
}

impl Client {
    /// What the store answers, and the id of an upload that was begun.
    pub async fn answer(&self, rig: &Rig, request: &Request) -> Outcome<(Answer, Option<UploadId>)> {
        let mut begun = None;
        let answer = match request {
            Request::Put(place, content, condition) => {
                Answer::Done(put(rig, *place, *content, *condition).await?)
            }
            Request::Delete((bucket, key)) => Answer::Existed(match rig.at(BUCKETS[*bucket]).await? {
                Some(rig) => Ok(rig.delete(KEYS[*key]).await?),
                None => Err(Refusal::NoSuchBucket),
            }),
            Request::Copy(from, to) => Answer::Done(copy(rig, *from, *to).await?),
            Request::Get((bucket, key), from, length) => {
                Answer::Bytes(match rig.at(BUCKETS[*bucket]).await? {
                    Some(rig) => rig.get(KEYS[*key], *from..from + length).await?.ok_or(Refusal::NoSuchKey),
                    None => Err(Refusal::NoSuchBucket),
                })
            }
            Request::List(bucket, query) => Answer::Listed(match rig.at(BUCKETS[*bucket]).await? {
                Some(rig) => Ok(rig.list(list_query(query)).await?),
                None => Err(Refusal::NoSuchBucket),
            }),
            Request::Uploads(bucket) => Answer::Uploads(match rig.at(BUCKETS[*bucket]).await? {
                Some(rig) => Ok(rig.uploads().await?),
                None => Err(Refusal::NoSuchBucket),
            }),
            Request::Begin((bucket, key)) => Answer::Done(match rig.at(BUCKETS[*bucket]).await? {
                Some(rig) => {
                    begun = Some(rig.begin(KEYS[*key]).await?);
                    Ok(())
                }
                None => Err(Refusal::NoSuchBucket),
            }),
            Request::Part(number, ..) | Request::Complete(number) | Request::Abort(number) => {
                let done = self.upload(rig, request, *number).await?;
                Answer::Done(if done { Ok(()) } else { Err(Refusal::NoSuchUpload) })
            }
            Request::CreateBucket(bucket) => {
                let made = create_bucket(&rig.store, BUCKETS[*bucket]).await?;
                Answer::Done(if made { Ok(()) } else { Err(Refusal::BucketExists) })
            }
            Request::DeleteBucket(bucket) => {
                let name = BucketName::new(BUCKETS[*bucket]).map_err(text)?;
                Answer::Done(match rig.store.delete_bucket(&name).await.map_err(text)? {
                    DeleteBucket::Deleted => Ok(()),
                    DeleteBucket::NoSuchBucket => Err(Refusal::NoSuchBucket),
                    DeleteBucket::NotEmpty => Err(Refusal::BucketNotEmpty),
                })
            }
        };
        Ok((answer, begun))
    }

    /// What the model answers, when the store has begun the upload `begun`.
    pub fn expected(&mut self, model: &mut Model, request: &Request, begun: Option<UploadId>) -> Answer {
        let upload = |number: &usize| self.recent.get(*number).map_or(0, |(number, _)| *number);
        let object = |place: &Place| (BUCKETS[place.0], KEYS[place.1]);
        match request {
            Request::Put(place, content, condition) => {
                let (bucket, key) = object(place);
                Answer::Done(model.put(bucket, key, bytes(*content), *condition))
            }
            Request::Delete(place) => Answer::Existed(model.delete(object(place).0, object(place).1)),
            Request::Copy(from, to) => Answer::Done(model.copy(object(from), object(to))),
            Request::Get(place, from, length) => {
                Answer::Bytes(model.get(object(place).0, object(place).1, *from..from + length))
            }
            Request::List(bucket, query) => Answer::Listed(model.list(BUCKETS[*bucket], query)),
            Request::Uploads(bucket) => Answer::Uploads(self.open_uploads(model, *bucket)),
            Request::Begin(place) => {
                let number = model.begin(object(place).0, object(place).1);
                Answer::Done(number.map(|number| self.remember(model, number, *place, begun)))
            }
            Request::Part(number, part, content) => {
                Answer::Done(model.part(upload(number), *part, bytes(*content)))
            }
            Request::Complete(number) => Answer::Done(model.complete(upload(number))),
            Request::Abort(number) => Answer::Done(model.abort(upload(number))),
            Request::CreateBucket(bucket) => Answer::Done(model.create_bucket(BUCKETS[*bucket])),
            Request::DeleteBucket(bucket) => Answer::Done(model.delete_bucket(BUCKETS[*bucket])),
        }
    }

    /// What a listing of the open uploads must show.
    pub fn open_uploads(&self, model: &Model, bucket: usize) -> Result<Vec<(String, UploadId)>, Refusal> {
        if !model.buckets.contains_key(BUCKETS[bucket]) {
            return Err(Refusal::NoSuchBucket);
        }
        let open = model.open_uploads(BUCKETS[bucket]).into_iter();
        let mut open: Vec<_> =
            open.map(|number| (model.uploads[&number].key.clone(), self.ids[&number])).collect();
        open.sort();
        Ok(open)
    }

    async fn upload(&self, rig: &Rig, request: &Request, number: usize) -> Outcome<bool> {
        let Some((number, (bucket, key))) = self.recent.get(number) else { return Ok(false) };
        let Some(rig) = rig.at(BUCKETS[*bucket]).await? else { return Ok(false) };
        let (key, id) = (KEYS[*key], &self.ids[number]);
        match request {
            Request::Part(_, part, content) => rig.part(key, id, *part, &body(content.0, content.1)).await,
            Request::Complete(_) => rig.complete(key, id).await,
            _ => rig.abort(key, id).await,
        }
    }

    fn remember(&mut self, model: &Model, number: u64, place: Place, id: Option<UploadId>) {
        self.recent.insert(0, (number, place));
        self.recent.truncate(RECENT);
        self.ids.extend(id.map(|id| (number, id)));
        let recent = |number: &u64| self.recent.iter().any(|(other, _)| other == number);
        self.ids.retain(|number, _| model.uploads.contains_key(number) || recent(number));
    }
}

/// Uploads that requests may name.
const RECENT: usize = 8;

async fn put(
    rig: &Rig,
    (bucket, key): Place,
    content: Content,
    condition: Condition,
) -> Outcome<Result<(), Refusal>> {
    let Some(rig) = rig.at(BUCKETS[bucket]).await? else { return Ok(Err(Refusal::NoSuchBucket)) };
    let key = KEYS[key];
    let current = match condition {
        Condition::IfMatch => rig.object(key).await?.map(|object| object.record.head.etag),
        _ => None,
    };
    let wanted = current.unwrap_or(ETag::plain(Md5Digest::default()));
    let check = |head: Option<&ObjectHead>| {
        let holds = match condition {
            Condition::Always => true,
            Condition::IfAbsent => head.is_none(),
            Condition::IfMatch | Condition::IfOther => head.is_some_and(|head| head.etag == wanted),
        };
        if holds { Ok(()) } else { Err(Refusal::PreconditionFailed) }
    };
    let staged = rig.stage_for(key, None, &body(content.0, content.1)).await?;
    match rig.store.put_object(&rig.bucket, &name(key), NewObject::default(), staged, check).await {
        Ok(_) => Ok(Ok(())),
        Err(UpdateError::Refused(refusal)) => Ok(Err(refusal)),
        Err(UpdateError::NoSuchBucket) => Ok(Err(Refusal::NoSuchBucket)),
        Err(UpdateError::Store(error)) => Err(text(error)),
    }
}

async fn copy(rig: &Rig, from: Place, to: Place) -> Outcome<Result<(), Refusal>> {
    let (source, target) = (rig.at(BUCKETS[from.0]).await?, rig.at(BUCKETS[to.0]).await?);
    let (Some(source), Some(target)) = (source, target) else { return Ok(Err(Refusal::NoSuchBucket)) };
    let copied = source.copy_to(KEYS[from.1], &target, KEYS[to.1]).await?;
    Ok(if copied { Ok(()) } else { Err(Refusal::NoSuchKey) })
}

fn bytes(content: Content) -> Bytes {
    body(content.0, content.1).into()
}

fn list_query(query: &Query) -> ListQuery {
    let Query { prefix, delimiter, after, limit } = query.clone();
    ListQuery { prefix, delimiter, after, limit }
}
