package main

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const mib = 1024 * 1024

// The same keys as in ../checks.py.
var oddKeys = []string{
	"plain", "with space", " leading and trailing ", "two  spaces", "plus+plus", "per%cent", "per%20cent",
	"per%2Fcent", "double//slash", "/leading-slash", "folder/", "folder/inside", "folder/inside/deep",
	"ключ/日本語/é", "e\u0301 decomposed", "emoji-😀", "quotes'\"`", "amp&<tag>;", "question?a=b#fragment",
	"list,of:things;@$=!*()~", "back\\slash", "brackets[]{}|^",
}

// failure is what a check panics with; anything else is a fault of the suite, and reported alike.
type failure string

func fail(format string, arguments ...any) { panic(failure(fmt.Sprintf(format, arguments...))) }

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func equal(got, expected any, what string) {
	if !reflect.DeepEqual(got, expected) {
		fail("%s: expected %.600v, got %.600v", what, expected, got)
	}
}

func yes(condition bool, what string) {
	if !condition {
		fail("%s", what)
	}
}

// refused demands an S3 error code and an HTTP status.
func refused(err error, code string, status int) {
	var api smithy.APIError
	var reply *smithyhttp.ResponseError
	switch {
	case err == nil:
		fail("must be refused with %d %s, but succeeded", status, code)
	case !errors.As(err, &api) || !errors.As(err, &reply):
		fail("must be refused with %d %s, but: %v", status, code, err)
	case api.ErrorCode() != code || reply.HTTPStatusCode() != status:
		fail("must be refused with %d %s, but: %d %s", status, code, reply.HTTPStatusCode(), api.ErrorCode())
	}
}

func randomBytes(size int, seed int64) []byte {
	data := make([]byte, size)
	rand.New(rand.NewSource(seed + int64(size))).Read(data)
	return data
}

func quotedMD5(data []byte) string { return fmt.Sprintf("\"%x\"", md5.Sum(data)) }

// plain sends a request as curl would.
func plain(method, url string, headers http.Header, body []byte) (int, []byte) {
	request := must(http.NewRequest(method, url, bytes.NewReader(body)))
	for name, values := range headers {
		if !strings.EqualFold(name, "host") {
			request.Header[name] = values
		}
	}
	reply := must(http.DefaultClient.Do(request))
	defer reply.Body.Close()
	return reply.StatusCode, must(io.ReadAll(reply.Body))
}

type check struct {
	title string
	run   func(*suite)
}

// runAll prints one line for each check, in the form that run.sh reads, and exits.
func runAll(name string, s *suite, checks []check) {
	failed := false
	for _, one := range checks {
		started := time.Now()
		detail := attempt(s, one)
		word := "ok"
		if detail != "" {
			word, failed = "FAILED", true
		}
		fmt.Printf("%-8s%s: %s (%.1f s)\n", word, name, one.title, time.Since(started).Seconds())
		for _, line := range strings.Split(detail, "\n") {
			if line != "" {
				fmt.Println("        | " + line)
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}

func attempt(s *suite, one check) (detail string) {
	defer func() {
		if reason := recover(); reason != nil {
			detail = fmt.Sprintf("%v", reason)
		}
	}()
	one.run(s)
	return ""
}
