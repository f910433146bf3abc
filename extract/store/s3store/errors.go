package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"chargeback/extract/store"
)

// advised is an error whose text already says what to do.
type advised struct {
	text  string
	cause error // for errors.Is, may be nil
}

func (e *advised) Error() string { return e.text }
func (e *advised) Unwrap() error { return e.cause }

// oddAnswer is the error for a server that breaks the protocol.
func oddAnswer(what string) error {
	return &advised{text: what + "; check that the endpoint is an S3 server"}
}

// explain makes the error of a request: what was done to which URL, what went
// wrong, what to do. The SDK's own error is not wrapped, because its text can
// repeat whatever a server chose to answer.
func (s *Store) explain(verb, url string, err error) error {
	var known *advised
	var noKeys *keysError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.Is(err, store.ErrChanged), errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrTaken), errors.Is(err, store.ErrReplaced), errors.As(err, &known):
	case errors.As(err, &noKeys):
		err = &advised{text: s.keys.clean(noKeys.Error())}
	case statusOf(err) >= 300:
		err = s.explainAnswer(verb, err)
	default:
		err = s.explainSilence(err)
	}
	return fmt.Errorf("%s %s: %w", verb, url, err)
}

// explainAnswer is for a server that answered with an error.
func (s *Store) explainAnswer(verb string, err error) error {
	status := statusOf(err)
	code, message := codeOf(err)
	switch {
	case code == "NoSuchBucket":
		return &advised{text: fmt.Sprintf("there is no bucket %q; correct the source's url or endpoint", s.bucket)}
	case code == "NoSuchKey": // no other 404 proves that the object is gone
		return store.ErrNotFound
	case status == http.StatusPreconditionFailed:
		return store.ErrChanged
	case isRegionError(status, code):
		return s.explainRegion(regionOf(err, message))
	}
	if text := adviceFor(code); text != "" {
		return &advised{text: text + " (" + code + ")"}
	}
	switch {
	case status == http.StatusForbidden:
		denied := &advised{text: fmt.Sprintf("access denied; allow this user or role %s (%s)", s.rightFor(verb), s.keys.clean(code))}
		if verb == "list" {
			denied.cause = store.ErrNoListing
		}
		return denied
	case status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		return &advised{text: fmt.Sprintf("the server asks to slow down, %d times; run with fewer workers or later (%s)", triesMax, s.keys.clean(code))}
	}
	return &advised{text: s.keys.clean(fmt.Sprintf("the server answers %d %s %q (request %s); try again, then ask who runs it",
		status, code, message, requestOf(err)))}
}

func adviceFor(code string) string {
	switch code {
	case "SignatureDoesNotMatch":
		return "the secret access key does not belong to the access key id; correct secret_access_key_env or secret_access_key_file, or AWS_SECRET_ACCESS_KEY"
	case "InvalidAccessKeyId", "XAdminUserNotFound": // the second is versitygw's
		return "the server does not know the access key id; correct access_key_id_env, or AWS_ACCESS_KEY_ID, or the endpoint"
	case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired":
		return "the session token has expired or is wrong; fetch new temporary credentials"
	case "RequestTimeTooSkewed":
		return "this machine's clock is more than 15 minutes from the server's; set the clock"
	case "InvalidObjectState":
		return "the object is archived; restore it from its storage class first"
	}
	return ""
}

// rightFor is the IAM right that a call needs.
func (s *Store) rightFor(verb string) string {
	if verb == "list" {
		return fmt.Sprintf("s3:ListBucket on bucket %q", s.bucket)
	}
	if verb == "write" {
		return fmt.Sprintf("s3:PutObject and s3:GetObject on the objects of bucket %q, and kms:GenerateDataKey where they are encrypted", s.bucket)
	}
	if verb == "look up" {
		return fmt.Sprintf("s3:GetObject on the objects of bucket %q, kms:Decrypt where they are encrypted, and s3:ListBucket on the bucket: without it an object that is not there looks forbidden", s.bucket)
	}
	return fmt.Sprintf("s3:GetObject on the objects of bucket %q, and kms:Decrypt where they are encrypted", s.bucket)
}

func isRegionError(status int, code string) bool {
	switch code {
	case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return true
	}
	return status == http.StatusMovedPermanently || status == http.StatusTemporaryRedirect
}

func (s *Store) explainRegion(region string) error {
	if region == "" {
		return &advised{text: fmt.Sprintf("bucket %q is in another region; set the source's s3 region to the bucket's", s.bucket)}
	}
	return &advised{text: fmt.Sprintf("bucket %q is in another region; set the source's s3 region to %s", s.bucket, region)}
}

// expecting is how S3 words the region it wants; the header is as good.
var expecting = regexp.MustCompile(`(?:^|expecting ')([a-z]{2,3}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2})(?:'|$)`)

func regionOf(err error, message string) string {
	var answer *awshttp.ResponseError
	texts := []string{message}
	if errors.As(err, &answer) && answer.Response != nil {
		texts = append(texts, answer.Response.Header.Get("X-Amz-Bucket-Region"))
	}
	for _, text := range texts {
		if found := expecting.FindStringSubmatch(text); found != nil {
			return found[1]
		}
	}
	return ""
}

// codeOf is S3's own word for an error, and what it says about it. A proxy
// between answers without.
func codeOf(err error) (code, message string) {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode(), api.ErrorMessage()
	}
	return "without code", ""
}

func requestOf(err error) string {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.RequestID != "" {
		return answer.RequestID
	}
	return "without id"
}

// explainSilence is for a request that got no answer, or half of one.
func (s *Store) explainSilence(err error) error {
	var transport *url.Error
	var answer *awshttp.ResponseError
	times := fmt.Sprintf(", %d times", triesMax)
	if errors.Is(err, errPatience) {
		times = ""
	}
	if errors.As(err, &transport) {
		err = transport.Err // without the URL, which is named already
	} else if errors.As(err, &answer) {
		err = answer.Err
	}
	return &advised{text: s.keys.clean(fmt.Sprintf("no usable answer%s: %s; check the endpoint, path_style and the network",
		times, strings.TrimSpace(err.Error())))}
}
