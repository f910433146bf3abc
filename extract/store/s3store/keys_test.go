package s3store

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Goal: a secret is taken out of a text, and a text stays readable.
func TestCleanLeavesWordsWhole(t *testing.T) {
	const text = "gave no usable answer to hunter22"
	for secret, want := range map[string]string{
		"":         text,
		"b":        text,
		"hunter2":  text,
		"hunter22": "gave no usable answer to (secret)",
	} {
		var k keys
		k.last.Store(&aws.Credentials{SecretAccessKey: secret, SessionToken: secret})
		if got := k.clean(text); got != want {
			t.Errorf("%q: %q", secret, got)
		}
	}
}
