// The AWS SDK for Go v2: a client of its own, and the upload and download managers.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

type suite struct {
	ctx    context.Context
	client *s3.Client
	bucket *string
}

func newSuite() *suite {
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		}, nil
	})
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(os.Getenv("HOLDALL_ENDPOINT")),
		Region:       os.Getenv("AWS_REGION"),
		Credentials:  keys,
		UsePathStyle: true,
		// What config.LoadDefaultConfig sets by default.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	})
	return &suite{context.Background(), client, aws.String(fmt.Sprintf("sdk-go-%x", time.Now().UnixNano()))}
}

func (s *suite) put(key string, body []byte) *s3.PutObjectOutput {
	return must(s.client.PutObject(s.ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: &key, Body: bytes.NewReader(body)}))
}

func (s *suite) get(input *s3.GetObjectInput) ([]byte, *s3.GetObjectOutput) {
	input.Bucket = s.bucket
	reply := must(s.client.GetObject(s.ctx, input))
	defer reply.Body.Close()
	return must(io.ReadAll(reply.Body)), reply
}

func (s *suite) content(key string) []byte {
	body, _ := s.get(&s3.GetObjectInput{Key: &key})
	return body
}

func (s *suite) keys(input *s3.ListObjectsV2Input) (keys []string) {
	input.Bucket = s.bucket
	pages := s3.NewListObjectsV2Paginator(s.client, input)
	for pages.HasMorePages() {
		for _, item := range must(pages.NextPage(s.ctx)).Contents {
			keys = append(keys, *item.Key)
		}
	}
	return keys
}

func (s *suite) deleteAll(keys []string) {
	for len(keys) > 0 {
		batch := keys[:min(1000, len(keys))]
		keys = keys[len(batch):]
		var objects []types.ObjectIdentifier
		for _, key := range batch {
			objects = append(objects, types.ObjectIdentifier{Key: aws.String(key)})
		}
		reply := must(s.client.DeleteObjects(s.ctx, &s3.DeleteObjectsInput{
			Bucket: s.bucket, Delete: &types.Delete{Objects: objects},
		}))
		equal(len(reply.Errors), 0, "errors of the bulk delete")
		equal(len(reply.Deleted), len(batch), "keys named by the bulk delete")
	}
}

func buckets(s *suite) {
	must(s.client.CreateBucket(s.ctx, &s3.CreateBucketInput{Bucket: s.bucket}))
	head := must(s.client.HeadBucket(s.ctx, &s3.HeadBucketInput{Bucket: s.bucket}))
	equal(aws.ToString(head.BucketRegion), os.Getenv("AWS_REGION"), "x-amz-bucket-region")
	found := false
	for _, bucket := range must(s.client.ListBuckets(s.ctx, &s3.ListBucketsInput{})).Buckets {
		found = found || *bucket.Name == *s.bucket
	}
	yes(found, "listed")
}

func putGet(s *suite) {
	for _, size := range []int{0, 1, 1000, 40_000, 3*mib + 1} {
		body, key := randomBytes(size, 1), fmt.Sprintf("size/%d", size)
		reply := must(s.client.PutObject(s.ctx, &s3.PutObjectInput{
			Bucket: s.bucket, Key: &key, Body: bytes.NewReader(body), ContentType: aws.String("x/y"),
			CacheControl: aws.String("no-cache"), Metadata: map[string]string{"colour": "blue"},
		}))
		equal(*reply.ETag, quotedMD5(body), "ETag")
		equal(aws.ToString(reply.ChecksumCRC32), sum32(body), "default checksum")
		got, about := s.get(&s3.GetObjectInput{Key: &key, ChecksumMode: types.ChecksumModeEnabled})
		yes(bytes.Equal(got, body), "bytes differ")
		equal([]string{*about.ContentType, *about.CacheControl, about.Metadata["colour"]},
			[]string{"x/y", "no-cache", "blue"}, "headers on GET")
		head := must(s.client.HeadObject(s.ctx, &s3.HeadObjectInput{Bucket: s.bucket, Key: &key}))
		equal([]any{*head.ContentLength, *head.ETag, head.Metadata["colour"]},
			[]any{int64(size), quotedMD5(body), "blue"}, "HEAD")
	}
}

func sum32(data []byte) string {
	sum := crc32.ChecksumIEEE(data)
	return base64.StdEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

func ranges(s *suite) {
	body := randomBytes(3*mib+11, 2)
	s.put("range", body)
	size := len(body)
	for span, expected := range map[string][]byte{
		"bytes=0-9": body[:10], "bytes=-7": body[size-7:], fmt.Sprintf("bytes=%d-", size-3): body[size-3:],
		fmt.Sprintf("bytes=%d-%d", mib-1, mib): body[mib-1 : mib+1],
	} {
		got, _ := s.get(&s3.GetObjectInput{Key: aws.String("range"), Range: aws.String(span)})
		yes(bytes.Equal(got, expected), span)
	}
	_, err := s.client.GetObject(s.ctx, &s3.GetObjectInput{
		Bucket: s.bucket, Key: aws.String("range"), Range: aws.String("bytes=99999999-"),
	})
	refused(err, "InvalidRange", 416)
}

func checksums(s *suite) {
	body := randomBytes(100_000, 3)
	for _, algorithm := range []types.ChecksumAlgorithm{
		types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme,
		types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256,
	} {
		key := "sum/" + string(algorithm)
		put := must(s.client.PutObject(s.ctx, &s3.PutObjectInput{
			Bucket: s.bucket, Key: &key, Body: bytes.NewReader(body), ChecksumAlgorithm: algorithm,
		}))
		got, about := s.get(&s3.GetObjectInput{Key: &key, ChecksumMode: types.ChecksumModeEnabled})
		yes(bytes.Equal(got, body), "bytes differ")
		equal(sums(about), []string{
			aws.ToString(put.ChecksumCRC32), aws.ToString(put.ChecksumCRC32C), aws.ToString(put.ChecksumCRC64NVME),
			aws.ToString(put.ChecksumSHA1), aws.ToString(put.ChecksumSHA256),
		}, key)
		equal(about.ChecksumType, types.ChecksumTypeFullObject, "type")
	}
	_, err := s.client.PutObject(s.ctx, &s3.PutObjectInput{
		Bucket: s.bucket, Key: aws.String("sum/bad"), Body: bytes.NewReader(body), ChecksumCRC32: aws.String("AAAAAA=="),
	})
	refused(err, "BadDigest", 400)
}

func sums(about *s3.GetObjectOutput) []string {
	return []string{
		aws.ToString(about.ChecksumCRC32), aws.ToString(about.ChecksumCRC32C), aws.ToString(about.ChecksumCRC64NVME),
		aws.ToString(about.ChecksumSHA1), aws.ToString(about.ChecksumSHA256),
	}
}

func managers(s *suite) {
	body := randomBytes(40*mib, 4)
	uploader := manager.NewUploader(s.client, func(u *manager.Uploader) { u.PartSize = 8 * mib })
	for key, reader := range map[string]io.Reader{
		"big": bytes.NewReader(body), "streamed": io.MultiReader(bytes.NewReader(body)),
	} {
		must(uploader.Upload(s.ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: aws.String(key), Body: reader}))
		head := must(s.client.HeadObject(s.ctx, &s3.HeadObjectInput{
			Bucket: s.bucket, Key: aws.String(key), ChecksumMode: types.ChecksumModeEnabled,
		}))
		yes(strings.HasSuffix(*head.ETag, "-5\""), "ETag "+*head.ETag)
		yes(head.ChecksumCRC32 != nil, "a checksum")
		got := manager.NewWriteAtBuffer(nil)
		must(manager.NewDownloader(s.client).Download(s.ctx, got, &s3.GetObjectInput{Bucket: s.bucket, Key: aws.String(key)}))
		yes(bytes.Equal(got.Bytes(), body), key+": bytes differ")
	}
}

func multipart(s *suite) {
	key, bodies := aws.String("parts"), [][]byte{randomBytes(5*mib, 5), randomBytes(6*mib, 6), []byte("tail")}
	upload := must(s.client.CreateMultipartUpload(s.ctx, &s3.CreateMultipartUploadInput{Bucket: s.bucket, Key: key})).UploadId
	var done []types.CompletedPart
	for index, body := range bodies {
		number := aws.Int32(int32(index + 1))
		part := must(s.client.UploadPart(s.ctx, &s3.UploadPartInput{
			Bucket: s.bucket, Key: key, UploadId: upload, PartNumber: number, Body: bytes.NewReader(body),
		}))
		done = append(done, types.CompletedPart{PartNumber: number, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
	}
	listed := must(s.client.ListParts(s.ctx, &s3.ListPartsInput{Bucket: s.bucket, Key: key, UploadId: upload}))
	equal(len(listed.Parts), 3, "ListParts")
	complete := &s3.CompleteMultipartUploadInput{
		Bucket: s.bucket, Key: key, UploadId: upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	}
	first := must(s.client.CompleteMultipartUpload(s.ctx, complete))
	equal(*must(s.client.CompleteMultipartUpload(s.ctx, complete)).ETag, *first.ETag, "Complete repeated")
	yes(bytes.Equal(s.content("parts"), bytes.Join(bodies, nil)), "bytes differ")

	upload = must(s.client.CreateMultipartUpload(s.ctx, &s3.CreateMultipartUploadInput{Bucket: s.bucket, Key: key})).UploadId
	must(s.client.AbortMultipartUpload(s.ctx, &s3.AbortMultipartUploadInput{Bucket: s.bucket, Key: key, UploadId: upload}))
	_, err := s.client.ListParts(s.ctx, &s3.ListPartsInput{Bucket: s.bucket, Key: key, UploadId: upload})
	refused(err, "NoSuchUpload", 404)
}

func presigned(s *suite) {
	signer, key := s3.NewPresignClient(s.client), aws.String("signed/a b+ü")
	put := must(signer.PresignPutObject(s.ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: key}))
	status, _ := plain("PUT", put.URL, put.SignedHeader, []byte("presigned"))
	equal(status, 200, "PUT")
	get := must(signer.PresignGetObject(s.ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: key}))
	status, body := plain("GET", get.URL, get.SignedHeader, nil)
	equal([]any{status, string(body)}, []any{200, "presigned"}, "GET")
	status, _ = plain("GET", get.URL+"0", get.SignedHeader, nil)
	equal(status, 403, "a changed signature")
}

func conditional(s *suite) {
	put := func(body string, match, none *string) error {
		_, err := s.client.PutObject(s.ctx, &s3.PutObjectInput{
			Bucket: s.bucket, Key: aws.String("cond"), Body: strings.NewReader(body), IfMatch: match, IfNoneMatch: none,
		})
		return err
	}
	equal(put("1", nil, aws.String("*")), nil, "first")
	refused(put("2", nil, aws.String("*")), "PreconditionFailed", 412)
	etag := quotedMD5([]byte("1"))
	equal(put("2", &etag, nil), nil, "If-Match")
	refused(put("3", &etag, nil), "PreconditionFailed", 412)
	equal(string(s.content("cond")), "2", "content")
	now := quotedMD5([]byte("2"))
	_, err := s.client.GetObject(s.ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: aws.String("cond"), IfNoneMatch: &now})
	yes(err != nil && strings.Contains(err.Error(), "304"), "not modified")
}

func copies(s *suite) {
	source := *s.bucket + "/size/1000"
	result := must(s.client.CopyObject(s.ctx, &s3.CopyObjectInput{
		Bucket: s.bucket, Key: aws.String("copied"), CopySource: &source,
	}))
	equal(*result.CopyObjectResult.ETag, quotedMD5(randomBytes(1000, 1)), "ETag")
	got, about := s.get(&s3.GetObjectInput{Key: aws.String("copied")})
	equal([]any{got, about.Metadata["colour"]}, []any{randomBytes(1000, 1), "blue"}, "the copy")
	_, err := s.client.CopyObject(s.ctx, &s3.CopyObjectInput{
		Bucket: s.bucket, Key: aws.String("copied"), CopySource: aws.String(*s.bucket + "/absent"),
	})
	refused(err, "NoSuchKey", 404)
}

func odd(s *suite) {
	var keys []string
	for _, key := range oddKeys {
		keys = append(keys, "odd/"+key)
		s.put("odd/"+key, []byte(key))
	}
	sort.Strings(keys)
	equal(s.keys(&s3.ListObjectsV2Input{Prefix: aws.String("odd/")}), keys, "list")
	equal(s.keys(&s3.ListObjectsV2Input{
		Prefix: aws.String("odd/"), EncodingType: types.EncodingTypeUrl, MaxKeys: aws.Int32(1),
	})[0] != "", true, "list in pages of 1, encoded")
	for _, key := range keys {
		equal(string(s.content(key)), strings.TrimPrefix(key, "odd/"), "content")
	}
	s.deleteAll(keys)
	equal(len(s.keys(&s3.ListObjectsV2Input{Prefix: aws.String("odd/")})), 0, "left over")
}

func listing(s *suite) {
	var keys []string
	for number := range 1050 {
		keys = append(keys, fmt.Sprintf("list/%d/%04d", number%5, number))
	}
	var group sync.WaitGroup
	work := make(chan string)
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for key := range work {
				s.client.PutObject(s.ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: &key, Body: strings.NewReader("1")})
			}
		}()
	}
	for _, key := range keys {
		work <- key
	}
	close(work)
	group.Wait()
	sort.Strings(keys)
	prefix := aws.String("list/")
	equal(s.keys(&s3.ListObjectsV2Input{Prefix: prefix}), keys, "all")
	equal(s.keys(&s3.ListObjectsV2Input{Prefix: prefix, MaxKeys: aws.Int32(111)}), keys, "pages of 111")
	equal(s.keys(&s3.ListObjectsV2Input{Prefix: prefix, StartAfter: &keys[1000]}), keys[1001:], "StartAfter")
	top := must(s.client.ListObjectsV2(s.ctx, &s3.ListObjectsV2Input{Bucket: s.bucket, Prefix: prefix, Delimiter: aws.String("/")}))
	equal([]int{len(top.CommonPrefixes), len(top.Contents), int(*top.KeyCount)}, []int{5, 0, 5}, "folders")
	s.deleteAll(keys)
}

func faults(s *suite) {
	_, err := s.client.GetObject(s.ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: aws.String("absent")})
	refused(err, "NoSuchKey", 404)
	_, err = s.client.HeadObject(s.ctx, &s3.HeadObjectInput{Bucket: s.bucket, Key: aws.String("absent")})
	refused(err, "NotFound", 404)
	_, err = s.client.ListObjectsV2(s.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("absent-" + *s.bucket)})
	refused(err, "NoSuchBucket", 404)
	_, err = s.client.DeleteBucket(s.ctx, &s3.DeleteBucketInput{Bucket: s.bucket})
	refused(err, "BucketNotEmpty", 409)
}

func clean(s *suite) {
	s.deleteAll(s.keys(&s3.ListObjectsV2Input{}))
	must(s.client.DeleteBucket(s.ctx, &s3.DeleteBucketInput{Bucket: s.bucket}))
}

func main() {
	runAll("sdk-go", newSuite(), []check{
		{"create, head and list buckets", buckets},
		{"put, get, head, with metadata and default checksums", putGet},
		{"ranges", ranges},
		{"checksums of every kind, in trailers or headers", checksums},
		{"upload and download managers: 40 MiB, seekable and streamed", managers},
		{"multipart by hand: list, complete twice, abort", multipart},
		{"presigned PUT and GET", presigned},
		{"conditional writes and reads", conditional},
		{"copy", copies},
		{"odd keys", odd},
		{"list 1,050 keys: pages, folders, StartAfter; bulk delete", listing},
		{"errors: NoSuchKey, NotFound, NoSuchBucket, BucketNotEmpty", faults},
		{"empty the bucket and delete it", clean},
	})
}
