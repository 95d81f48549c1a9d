import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.ChecksumType;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.transfer.s3.S3TransferManager;

/** The AWS SDK for Java 2, its asynchronous client and its transfer manager. */
public final class Suite {
    private static final URI ENDPOINT = URI.create(System.getenv("HOLDALL_ENDPOINT"));
    private static final Region REGION = Region.of(System.getenv("AWS_REGION"));
    private static final StaticCredentialsProvider KEYS = StaticCredentialsProvider.create(AwsBasicCredentials.create(
            System.getenv("AWS_ACCESS_KEY_ID"), System.getenv("AWS_SECRET_ACCESS_KEY")));

    private final String bucket = "sdk-java-" + Long.toHexString(System.nanoTime());
    private final S3Client s3 = S3Client.builder().endpointOverride(ENDPOINT).region(REGION)
            .credentialsProvider(KEYS).forcePathStyle(true).build();

    public static void main(String[] arguments) {
        Suite suite = new Suite();
        Checks.check("create, head and list buckets", suite::buckets);
        Checks.check("put, get, head, with metadata and default checksums", suite::putGet);
        Checks.check("put from a stream (chunked signing)", suite::streamed);
        Checks.check("ranges", suite::ranges);
        Checks.check("checksums of every kind", suite::checksums);
        Checks.check("multipart by hand: 16 MiB, list, abort", suite::multipart);
        Checks.check("transfer manager: 40 MiB up and down, asynchronous multipart client", suite::transferManager);
        Checks.check("presigned PUT and GET", suite::presigned);
        Checks.check("conditional writes and reads", suite::conditional);
        Checks.check("copy", suite::copy);
        Checks.check("odd keys", suite::odd);
        Checks.check("list 1,050 keys: pages, folders, startAfter; bulk delete", suite::listing);
        Checks.check("errors: NoSuchKey, 404 on HEAD, NoSuchBucket, BucketNotEmpty", suite::errors);
        Checks.check("empty the bucket and delete it", suite::clean);
        System.exit(Checks.exitCode());
    }

    private PutObjectResponse put(String key, byte[] body) {
        return s3.putObject(request -> request.bucket(bucket).key(key), RequestBody.fromBytes(body));
    }

    private byte[] get(String key, String range) {
        return s3.getObject(request -> request.bucket(bucket).key(key).range(range), ResponseTransformer.toBytes())
                .asByteArray();
    }

    private List<String> keys(ListObjectsV2Request.Builder request) {
        return s3.listObjectsV2Paginator(request.bucket(bucket).build()).contents().stream().map(S3Object::key).toList();
    }

    private List<String> keys(String prefix) {
        return keys(ListObjectsV2Request.builder().prefix(prefix));
    }

    private void deleteAll(List<String> keys) {
        for (int at = 0; at < keys.size(); at += 1000) {
            List<ObjectIdentifier> batch = keys.subList(at, Math.min(at + 1000, keys.size())).stream()
                    .map(key -> ObjectIdentifier.builder().key(key).build()).toList();
            var reply = s3.deleteObjects(request -> request.bucket(bucket).delete(it -> it.objects(batch)));
            Checks.equal(reply.errors(), List.of(), "errors of the bulk delete");
            Checks.equal(reply.deleted().size(), batch.size(), "keys named by the bulk delete");
        }
    }

    private void buckets() {
        s3.createBucket(request -> request.bucket(bucket));
        Checks.equal(s3.headBucket(request -> request.bucket(bucket)).bucketRegion(), REGION.id(), "bucket region");
        Checks.yes(s3.listBuckets().buckets().stream().anyMatch(one -> one.name().equals(bucket)), "listed");
    }

    private void putGet() throws Exception {
        for (int size : new int[] {0, 1, 1000, 40_000, 3 * Checks.MIB + 1}) {
            String key = "size/" + size;
            byte[] body = Checks.randomBytes(size, 1);
            PutObjectResponse put = s3.putObject(request -> request.bucket(bucket).key(key).contentType("x/y")
                    .metadata(Map.of("colour", "blue")), RequestBody.fromBytes(body));
            Checks.equal(put.eTag(), Checks.quotedMd5(body), "ETag");
            ResponseBytes<GetObjectResponse> got = s3.getObject(
                    request -> request.bucket(bucket).key(key), ResponseTransformer.toBytes());
            Checks.same(got.asByteArray(), body, key);
            Checks.equal(got.response().contentType(), "x/y", "content type");
            HeadObjectResponse head = s3.headObject(request -> request.bucket(bucket).key(key));
            Checks.equal(head.contentLength(), (long) size, "length");
            Checks.equal(head.metadata(), Map.of("colour", "blue"), "metadata");
        }
    }

    private void streamed() {
        byte[] body = Checks.randomBytes(9 * Checks.MIB, 2);
        s3.putObject(request -> request.bucket(bucket).key("streamed").checksumAlgorithm(ChecksumAlgorithm.SHA256),
                RequestBody.fromInputStream(new ByteArrayInputStream(body), body.length));
        Checks.same(get("streamed", null), body, "streamed");
        try (S3Client chunked = S3Client.builder().endpointOverride(ENDPOINT).region(REGION).credentialsProvider(KEYS)
                .serviceConfiguration(S3Configuration.builder().chunkedEncodingEnabled(true)
                        .pathStyleAccessEnabled(true).build()).build()) {
            chunked.putObject(request -> request.bucket(bucket).key("chunked").contentEncoding("gzip"),
                    RequestBody.fromBytes(body));
        }
        Checks.same(get("chunked", null), body, "chunked");
        Checks.equal(s3.headObject(request -> request.bucket(bucket).key("chunked")).contentEncoding(), "gzip",
                "content encoding without aws-chunked");
    }

    private void ranges() throws Exception {
        byte[] body = Checks.randomBytes(3 * Checks.MIB + 11, 3);
        put("range", body);
        Checks.same(get("range", "bytes=0-9"), Arrays.copyOf(body, 10), "first ten");
        Checks.same(get("range", "bytes=-7"), Arrays.copyOfRange(body, body.length - 7, body.length), "last seven");
        Checks.same(get("range", "bytes=1048575-1048576"), Arrays.copyOfRange(body, 1048575, 1048577), "middle");
        Checks.refused("InvalidRange", 416, () -> get("range", "bytes=99999999-"));
    }

    private void checksums() throws Exception {
        byte[] body = Checks.randomBytes(100_000, 4);
        // CRC64NVME wants the native CRT beside the SDK; the other suites send it.
        for (ChecksumAlgorithm kind : List.of(ChecksumAlgorithm.CRC32, ChecksumAlgorithm.CRC32_C,
                ChecksumAlgorithm.SHA1, ChecksumAlgorithm.SHA256)) {
            String key = "sum/" + kind;
            PutObjectResponse put = s3.putObject(
                    request -> request.bucket(bucket).key(key).checksumAlgorithm(kind), RequestBody.fromBytes(body));
            var got = s3.getObject(request -> request.bucket(bucket).key(key).checksumMode(ChecksumMode.ENABLED),
                    ResponseTransformer.toBytes());
            Checks.same(got.asByteArray(), body, key);
            GetObjectResponse about = got.response();
            Checks.equal(
                    Arrays.asList(about.checksumCRC32(), about.checksumCRC32C(), about.checksumCRC64NVME(),
                            about.checksumSHA1(), about.checksumSHA256()),
                    Arrays.asList(put.checksumCRC32(), put.checksumCRC32C(), put.checksumCRC64NVME(),
                            put.checksumSHA1(), put.checksumSHA256()), key);
            Checks.equal(about.checksumType(), ChecksumType.FULL_OBJECT, "type");
        }
        Checks.refused("BadDigest", 400, () -> s3.putObject(
                request -> request.bucket(bucket).key("sum/bad").checksumCRC32("AAAAAA=="), RequestBody.fromBytes(body)));
    }

    private void multipart() throws Exception {
        String upload = s3.createMultipartUpload(request -> request.bucket(bucket).key("parts")
                .checksumAlgorithm(ChecksumAlgorithm.CRC32)).uploadId();
        byte[] whole = Checks.randomBytes(16 * Checks.MIB, 5);
        List<CompletedPart> parts = new ArrayList<>();
        for (int number = 1; number <= 3; number++) {
            int part = number;
            int from = (number - 1) * 6 * Checks.MIB;
            byte[] body = Arrays.copyOfRange(whole, from, Math.min(from + 6 * Checks.MIB, whole.length));
            var sent = s3.uploadPart(request -> request.bucket(bucket).key("parts").uploadId(upload).partNumber(part)
                    .checksumAlgorithm(ChecksumAlgorithm.CRC32), RequestBody.fromBytes(body));
            parts.add(CompletedPart.builder().partNumber(part).eTag(sent.eTag())
                    .checksumCRC32(sent.checksumCRC32()).build());
        }
        Checks.equal(s3.listParts(request -> request.bucket(bucket).key("parts").uploadId(upload)).parts().size(), 3,
                "listParts");
        var done = s3.completeMultipartUpload(request -> request.bucket(bucket).key("parts").uploadId(upload)
                .multipartUpload(it -> it.parts(parts)));
        Checks.equal(done.checksumType(), ChecksumType.COMPOSITE, "type");
        Checks.yes(done.checksumCRC32().endsWith("-3"), "composite checksum " + done.checksumCRC32());
        Checks.same(get("parts", null), whole, "parts");

        String other = s3.createMultipartUpload(request -> request.bucket(bucket).key("parts")).uploadId();
        s3.abortMultipartUpload(request -> request.bucket(bucket).key("parts").uploadId(other));
        Checks.refused("NoSuchUpload", 404,
                () -> s3.listParts(request -> request.bucket(bucket).key("parts").uploadId(other)));
    }

    private void transferManager() throws Exception {
        byte[] body = Checks.randomBytes(40 * Checks.MIB, 6);
        Path up = Files.createTempFile("conformance", ".up");
        Path down = Files.createTempFile("conformance", ".down");
        Files.write(up, body);
        try (S3AsyncClient async = S3AsyncClient.builder().endpointOverride(ENDPOINT).region(REGION)
                .credentialsProvider(KEYS).forcePathStyle(true).multipartEnabled(true)
                .multipartConfiguration(it -> it.minimumPartSizeInBytes(8L * Checks.MIB)
                        .thresholdInBytes(8L * Checks.MIB)).build();
                S3TransferManager manager = S3TransferManager.builder().s3Client(async).build()) {
            manager.uploadFile(it -> it.source(up).putObjectRequest(put -> put.bucket(bucket).key("big")))
                    .completionFuture().join();
            manager.downloadFile(it -> it.destination(down).getObjectRequest(get -> get.bucket(bucket).key("big")))
                    .completionFuture().join();
            Checks.same(Files.readAllBytes(down), body, "downloaded file");
            Checks.same(get("big", null), body, "read by the plain client");
            HeadObjectResponse head = s3.headObject(request -> request.bucket(bucket).key("big"));
            Checks.yes(head.eTag().endsWith("-5\""), "ETag " + head.eTag());
        } finally {
            Files.delete(up);
            Files.delete(down);
        }
    }

    private void presigned() throws Exception {
        try (S3Presigner signer = S3Presigner.builder().endpointOverride(ENDPOINT).region(REGION)
                .credentialsProvider(KEYS)
                .serviceConfiguration(S3Configuration.builder().pathStyleAccessEnabled(true).build()).build()) {
            Duration minute = Duration.ofMinutes(1);
            String key = "signed/a b+ü";
            URL put = signer.presignPutObject(it -> it.signatureDuration(minute)
                    .putObjectRequest(request -> request.bucket(bucket).key(key))).url();
            URL get = signer.presignGetObject(it -> it.signatureDuration(minute)
                    .getObjectRequest(request -> request.bucket(bucket).key(key))).url();
            HttpClient http = HttpClient.newHttpClient();
            var sent = http.send(HttpRequest.newBuilder(put.toURI())
                    .PUT(HttpRequest.BodyPublishers.ofString("presigned")).build(), HttpResponse.BodyHandlers.ofString());
            Checks.equal(sent.statusCode() + sent.body(), "200", "PUT");
            var got = http.send(HttpRequest.newBuilder(get.toURI()).build(), HttpResponse.BodyHandlers.ofString());
            Checks.equal(got.body(), "presigned", "GET");
        }
    }

    private void conditional() throws Exception {
        RequestBody two = RequestBody.fromString("2");
        String first = Checks.quotedMd5("1".getBytes(StandardCharsets.UTF_8));
        s3.putObject(request -> request.bucket(bucket).key("cond").ifNoneMatch("*"), RequestBody.fromString("1"));
        Checks.refused("PreconditionFailed", 412,
                () -> s3.putObject(request -> request.bucket(bucket).key("cond").ifNoneMatch("*"), two));
        s3.putObject(request -> request.bucket(bucket).key("cond").ifMatch(first), two);
        Checks.refused("PreconditionFailed", 412,
                () -> s3.putObject(request -> request.bucket(bucket).key("cond").ifMatch(first), two));
        Checks.equal(new String(get("cond", null), StandardCharsets.UTF_8), "2", "content");
        String now = Checks.quotedMd5("2".getBytes(StandardCharsets.UTF_8));
        Checks.refused(null, 304, () -> s3.getObject(
                request -> request.bucket(bucket).key("cond").ifNoneMatch(now), ResponseTransformer.toBytes()));
    }

    private void copy() throws Exception {
        var done = s3.copyObject(request -> request.sourceBucket(bucket).sourceKey("size/1000")
                .destinationBucket(bucket).destinationKey("copied ü+"));
        Checks.equal(done.copyObjectResult().eTag(), Checks.quotedMd5(Checks.randomBytes(1000, 1)), "ETag");
        Checks.same(get("copied ü+", null), Checks.randomBytes(1000, 1), "the copy");
        s3.copyObject(request -> request.sourceBucket(bucket).sourceKey("copied ü+")
                .destinationBucket(bucket).destinationKey("copied again"));
        Checks.refused("NoSuchKey", 404, () -> s3.copyObject(request -> request.sourceBucket(bucket)
                .sourceKey("absent").destinationBucket(bucket).destinationKey("copied")));
    }

    private void odd() {
        List<String> keys = Checks.ODD_KEYS.stream().map(key -> "odd/" + key).sorted().toList();
        for (String key : keys) {
            try {
                put(key, key.getBytes(StandardCharsets.UTF_8));
            } catch (S3Exception error) {
                throw new AssertionError("PUT " + key, error);
            }
        }
        Checks.equal(keys("odd/").stream().sorted().toList(), keys, "list");
        Checks.equal(keys(ListObjectsV2Request.builder().prefix("odd/").maxKeys(4)).size(), keys.size(), "pages of 4");
        keys.forEach(key -> Checks.equal(new String(get(key, null), StandardCharsets.UTF_8), key, "content"));
        deleteAll(keys);
        Checks.equal(keys("odd/"), List.of(), "left over");
    }

    private void listing() {
        List<String> keys = IntStream.range(0, 1050).mapToObj(number -> "list/%d/%04d".formatted(number % 5, number))
                .sorted().toList();
        keys.parallelStream().forEach(key -> put(key, new byte[] {1}));
        Checks.equal(keys("list/"), keys, "all");
        Checks.equal(keys(ListObjectsV2Request.builder().prefix("list/").maxKeys(111)), keys, "pages of 111");
        Checks.equal(keys(ListObjectsV2Request.builder().prefix("list/").startAfter(keys.get(1000))),
                keys.subList(1001, 1050), "startAfter");
        ListObjectsV2Response top = s3.listObjectsV2(
                request -> request.bucket(bucket).prefix("list/").delimiter("/"));
        Checks.equal(List.of(top.commonPrefixes().size(), top.contents().size(), top.keyCount()), List.of(5, 0, 5),
                "folders");
        deleteAll(keys);
    }

    private void errors() throws Exception {
        Checks.refused("NoSuchKey", 404, () -> get("absent", null));
        Checks.refused(null, 404, () -> s3.headObject(request -> request.bucket(bucket).key("absent")));
        Checks.refused("NoSuchBucket", 404, () -> s3.listObjectsV2(request -> request.bucket("absent-" + bucket)));
        Checks.refused("BucketNotEmpty", 409, () -> s3.deleteBucket(request -> request.bucket(bucket)));
    }

    private void clean() {
        deleteAll(keys(""));
        s3.deleteBucket(request -> request.bucket(bucket));
    }
}
