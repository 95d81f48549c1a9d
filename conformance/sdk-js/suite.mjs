// The AWS SDK for JavaScript v3, with lib-storage and the presigner.
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import * as S3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { MIB, ODD_KEYS, byBytes, main, quotedMd5, randomBytes, refused, same } from "./checks.mjs";

const env = process.env;
const Bucket = `sdk-js-${randomUUID().slice(0, 8)}`;
const settings = {
  endpoint: env.HOLDALL_ENDPOINT,
  region: env.AWS_REGION,
  credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  forcePathStyle: true,
};
const client = new S3.S3Client(settings);
// By default the SDK signs the checksum of an empty body into a URL for PUT, which no other body can meet.
const presigner = new S3.S3Client({ ...settings, requestChecksumCalculation: "WHEN_REQUIRED" });

/** Sends the command of this name: send("PutObject", {...}). */
const send = (name, input = {}) => client.send(new S3[`${name}Command`]({ Bucket, ...input }));

async function get(Key, more = {}) {
  const reply = await send("GetObject", { Key, ...more });
  return [Buffer.from(await reply.Body.transformToByteArray()), reply];
}

async function keys(input) {
  const found = [];
  for await (const page of S3.paginateListObjectsV2({ client }, { Bucket, ...input })) {
    found.push(...(page.Contents ?? []).map((item) => item.Key));
  }
  return found;
}

async function deleteAll(all) {
  for (let at = 0; at < all.length; at += 1000) {
    const Objects = all.slice(at, at + 1000).map((Key) => ({ Key }));
    const reply = await send("DeleteObjects", { Delete: { Objects } });
    same([reply.Errors, reply.Deleted.length], [undefined, Objects.length], "bulk delete");
  }
}

async function buckets() {
  await send("CreateBucket");
  same((await send("HeadBucket")).BucketRegion, env.AWS_REGION, "x-amz-bucket-region");
  const listed = await client.send(new S3.ListBucketsCommand({}));
  same(listed.Buckets.some((bucket) => bucket.Name === Bucket), true, "listed");
}

async function putGet() {
  for (const size of [0, 1, 1000, 40_000, 3 * MIB + 1]) {
    const Key = `size/${size}`;
    const body = randomBytes(size);
    const put = await send("PutObject", { Key, Body: body, ContentType: "x/y", Metadata: { colour: "blue" } });
    same(put.ETag, quotedMd5(body), "ETag");
    same(typeof put.ChecksumCRC32, "string", "type of the default checksum");
    const [got, about] = await get(Key);
    same(got, body, Key);
    same([about.ContentType, about.Metadata], ["x/y", { colour: "blue" }], "headers on GET");
    const head = await send("HeadObject", { Key });
    same([head.ContentLength, head.ETag, head.Metadata], [size, quotedMd5(body), { colour: "blue" }], "HEAD");
  }
}

async function ranges() {
  const body = randomBytes(3 * MIB + 11, 2);
  await send("PutObject", { Key: "range", Body: body });
  for (const [Range, expected] of [
    ["bytes=0-9", body.subarray(0, 10)],
    ["bytes=-7", body.subarray(-7)],
    [`bytes=${MIB - 1}-${MIB}`, body.subarray(MIB - 1, MIB + 1)],
  ]) {
    same((await get("range", { Range }))[0], expected, Range);
  }
  await refused("InvalidRange", 416, get("range", { Range: "bytes=99999999-" }));
}

async function checksums() {
  const body = randomBytes(100_000, 3);
  for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]) {
    const Key = `sum/${ChecksumAlgorithm}`;
    const field = `Checksum${ChecksumAlgorithm}`;
    const put = await send("PutObject", { Key, Body: body, ChecksumAlgorithm });
    const [got, about] = await get(Key, { ChecksumMode: "ENABLED" });
    same(got, body, Key);
    same([typeof put[field], about[field], about.ChecksumType], ["string", put[field], "FULL_OBJECT"], Key);
  }
  const bad = { Key: "sum/bad", Body: body, ChecksumCRC32: "AAAAAA==" };
  await refused("BadDigest", 400, send("PutObject", bad));
}

async function libStorage() {
  const body = randomBytes(40 * MIB, 4);
  const sources = { big: () => body, streamed: () => Readable.from([body.subarray(0, 9 * MIB), body.subarray(9 * MIB)]) };
  for (const [Key, source] of Object.entries(sources)) {
    await new Upload({ client, params: { Bucket, Key, Body: source() }, partSize: 8 * MIB, queueSize: 3 }).done();
    const head = await send("HeadObject", { Key, ChecksumMode: "ENABLED" });
    same([head.ContentLength, head.ETag.endsWith('-5"')], [body.length, true], "HEAD");
    same(typeof (head.ChecksumCRC32 ?? head.ChecksumCRC64NVME), "string", "a checksum");
    same((await get(Key))[0], body, Key);
    const [part] = await get(Key, { PartNumber: 5 });
    same(part, body.subarray(32 * MIB), "part 5");
  }
}

async function multipart() {
  const Key = "parts";
  const bodies = [randomBytes(5 * MIB, 5), randomBytes(6 * MIB, 6), Buffer.from("tail")];
  const { UploadId } = await send("CreateMultipartUpload", { Key, ChecksumAlgorithm: "CRC64NVME" });
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const part = await send("UploadPart", { Key, UploadId, PartNumber, Body, ChecksumAlgorithm: "CRC64NVME" });
    Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC64NVME: part.ChecksumCRC64NVME });
  }
  same((await send("ListParts", { Key, UploadId })).Parts.map((part) => part.Size), bodies.map((b) => b.length), "ListParts");
  const done = await send("CompleteMultipartUpload", { Key, UploadId, MultipartUpload: { Parts } });
  same(done.ChecksumType, "FULL_OBJECT", "type of a CRC64NVME");
  same((await get(Key, { ChecksumMode: "ENABLED" }))[0], Buffer.concat(bodies), "bytes");
  const again = await send("CreateMultipartUpload", { Key });
  await send("AbortMultipartUpload", { Key, UploadId: again.UploadId });
  await refused("NoSuchUpload", 404, send("ListParts", { Key, UploadId: again.UploadId }));
}

async function presigned() {
  const target = { Bucket, Key: "signed/a b+ü" };
  const put = await getSignedUrl(presigner, new S3.PutObjectCommand(target), { expiresIn: 60 });
  same((await fetch(put, { method: "PUT", body: "presigned" })).status, 200, "PUT");
  const url = await getSignedUrl(presigner, new S3.GetObjectCommand(target), { expiresIn: 60 });
  same(await (await fetch(url)).text(), "presigned", "GET");
  same((await fetch(`${url}&x-added=1`)).status, 403, "a changed URL");
}

async function conditional() {
  const put = (Body, more) => send("PutObject", { Key: "cond", Body, ...more });
  await put("1", { IfNoneMatch: "*" });
  await refused("PreconditionFailed", 412, put("2", { IfNoneMatch: "*" }));
  await put("2", { IfMatch: quotedMd5("1") });
  await refused("PreconditionFailed", 412, put("3", { IfMatch: quotedMd5("1") }));
  same((await get("cond"))[0].toString(), "2", "content");
  await refused("304", 304, get("cond", { IfNoneMatch: quotedMd5("2") }).catch((error) => {
    throw Object.assign(new Error(), { name: "304", $metadata: error.$metadata });
  }));
}

async function copy() {
  await send("CopyObject", { Key: "copied", CopySource: `${Bucket}/size/1000` });
  const [got, about] = await get("copied");
  same(got, randomBytes(1000), "the copy");
  same(about.Metadata, { colour: "blue" }, "its metadata");
  await refused("NoSuchKey", 404, send("CopyObject", { Key: "copied", CopySource: `${Bucket}/absent` }));
}

async function odd() {
  const all = ODD_KEYS.map((key) => `odd/${key}`);
  for (const Key of all) await send("PutObject", { Key, Body: Key });
  same(await keys({ Prefix: "odd/" }), [...all].sort(byBytes), "list");
  for (const Key of all) same((await get(Key))[0].toString(), Key, "content");
  await deleteAll(all);
  same(await keys({ Prefix: "odd/" }), [], "left over");
}

async function listing() {
  const all = Array.from({ length: 1050 }, (_, number) => `list/${number % 5}/${String(number).padStart(4, "0")}`);
  for (let at = 0; at < all.length; at += 16) {
    await Promise.all(all.slice(at, at + 16).map((Key) => send("PutObject", { Key, Body: "1" })));
  }
  all.sort(byBytes);
  same(await keys({ Prefix: "list/" }), all, "all");
  same(await keys({ Prefix: "list/", MaxKeys: 111 }), all, "pages of 111");
  same(await keys({ Prefix: "list/", StartAfter: all[1000] }), all.slice(1001), "StartAfter");
  const top = await send("ListObjectsV2", { Prefix: "list/", Delimiter: "/" });
  same([top.CommonPrefixes.length, top.Contents, top.KeyCount], [5, undefined, 5], "folders");
  await deleteAll(all);
}

async function errors() {
  await refused("NoSuchKey", 404, get("absent"));
  await refused("NotFound", 404, send("HeadObject", { Key: "absent" }));
  await refused("NoSuchBucket", 404, send("ListObjectsV2", { Bucket: `absent-${Bucket}` }));
  await refused("BucketNotEmpty", 409, send("DeleteBucket"));
}

async function clean() {
  await deleteAll(await keys({}));
  await send("DeleteBucket");
}

await main("sdk-js", [
  ["create, head and list buckets", buckets],
  ["put, get, head, with metadata and default checksums", putGet],
  ["ranges", ranges],
  ["checksums of every kind", checksums],
  ["lib-storage: 40 MiB, from a buffer and from a stream", libStorage],
  ["multipart by hand with CRC64NVME; abort", multipart],
  ["presigned PUT and GET", presigned],
  ["conditional writes and reads", conditional],
  ["copy", copy],
  ["odd keys", odd],
  ["list 1,050 keys: pages, folders, StartAfter; bulk delete", listing],
  ["errors: NoSuchKey, NotFound, NoSuchBucket, BucketNotEmpty", errors],
  ["empty the bucket and delete it", clean],
]);
