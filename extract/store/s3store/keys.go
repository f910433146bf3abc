package s3store

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// keys is a source of credentials that knows the last ones it gave, so that
// they can be taken out of any text that is shown.
type keys struct {
	source aws.CredentialsProvider
	last   atomic.Pointer[aws.Credentials]
}

var _ aws.CredentialsProvider = (*keys)(nil)

// keysError says that there are no credentials to sign with.
type keysError struct{ cause error }

func (e *keysError) Error() string {
	return "no AWS credentials: " + e.cause.Error() + "; set the source's access_key_id_env and secret_access_key_env, AWS_PROFILE, or give this machine a role"
}

func (e *keysError) Unwrap() error { return e.cause }

// Retrieve implements aws.CredentialsProvider.
func (k *keys) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := k.source.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, &keysError{cause: err}
	}
	k.last.Store(&found)
	return found, nil
}

// secretMin is how long a secret is at least. What is shorter is no secret of a
// bucket, and stands by chance in any text.
const secretMin = 8

// clean takes the secrets out of a text, makes it one line and bounds it.
func (k *keys) clean(text string) string {
	if last := k.last.Load(); last != nil {
		for _, secret := range []string{last.SecretAccessKey, last.SessionToken} {
			if len(secret) >= secretMin {
				text = strings.ReplaceAll(text, secret, "(secret)")
			}
		}
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	const runesMax = 600
	if runes := []rune(text); len(runes) > runesMax {
		text = string(runes[:runesMax]) + "…"
	}
	return text
}
