package config

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// Secret is a value that must not be seen. However it is printed, encoded or
// logged, it shows as ***. Only Reveal hands it out.
type Secret struct{ value string }

// hidden is what a Secret prints as.
const hidden = "***"

// Reveal gives the secret to the client that needs it.
func (s Secret) Reveal() string { return s.value }

// String prints ***.
func (s Secret) String() string { return hidden }

// GoString prints ***.
func (s Secret) GoString() string { return hidden }

// Format prints *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText prints ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue prints ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// lookup is where secrets come from: the environment and files.
type lookup struct {
	getenv   func(string) string
	readFile func(string) ([]byte, error)
}

// secret reads the variable or the file that is named. It returns false where
// neither is named or the variable is unset or empty; a file that can't be read
// or is empty is an error.
func (from lookup) secret(what, env, file string) (Secret, bool, error) {
	if env != "" {
		value := strings.TrimSpace(from.getenv(env))
		return Secret{value}, value != "", nil
	}
	if file == "" {
		return Secret{}, false, nil
	}
	data, err := from.readFile(file)
	if err != nil {
		return Secret{}, false, fmt.Errorf("read %s: %w; make the file readable for this user or correct its path in the config", what, err)
	}
	value := strings.TrimSpace(string(data))
	if value == "" {
		return Secret{}, false, fmt.Errorf("read %s: %s is empty; write the secret into it", what, file)
	}
	return Secret{value}, true, nil
}

// Token finds Slack's token by TokenEnv or TokenFile. It returns false, and no
// error, where none is configured or the variable is not set: messages then go
// to the console. Config.ReadFile is a fitting readFile.
func (s SlackConfig) Token(getenv func(string) string, readFile func(string) ([]byte, error)) (Secret, bool, error) {
	return lookup{getenv, readFile}.secret("Slack token", s.TokenEnv, s.TokenFile)
}

// S3Credentials are static keys for a bucket.
type S3Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret // empty for long-lived keys
}

// Credentials finds static keys. It returns false where the config names none:
// the AWS default chain then applies. Keys that are named but absent are an
// error, because falling back to other rights would read other buckets.
func (s S3) Credentials(getenv func(string) string, readFile func(string) ([]byte, error)) (S3Credentials, bool, error) {
	if s.AccessKeyIDEnv == "" {
		return S3Credentials{}, false, nil
	}
	from := lookup{getenv, readFile}
	id, ok, _ := from.secret("S3 access key id", s.AccessKeyIDEnv, "")
	if !ok {
		return S3Credentials{}, false, fmt.Errorf("read S3 access key id: %s is not set; set it, or remove access_key_id_env", s.AccessKeyIDEnv)
	}
	key, ok, err := from.secret("S3 secret access key", s.SecretAccessKeyEnv, s.SecretAccessKeyFile)
	if err != nil {
		return S3Credentials{}, false, err
	}
	if !ok {
		return S3Credentials{}, false, fmt.Errorf("read S3 secret access key: %s is not set; set it, or remove access_key_id_env", s.SecretAccessKeyEnv)
	}
	session, _, _ := from.secret("S3 session token", s.SessionTokenEnv, "")
	return S3Credentials{id.Reveal(), key, session}, true, nil
}

// envName is what a shell accepts; secretLike are well-known shapes that it
// would accept too: an AWS key id, and long mixed keys.
var (
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	secretLike = regexp.MustCompile(`^A[KS]IA[A-Z0-9]{16}$|^[A-Za-z0-9]{32,}$`)
)

// checkEnv refuses what is not the name of a variable, without printing it: it
// may be the secret itself.
func (doc document) checkEnv(path, name string) {
	if name == "" || envName.MatchString(name) && !secretLike.MatchString(name) {
		return
	}
	doc.Failf(path, "is not the name of an environment variable and may be the secret itself (not shown); "+
		"put the secret into a variable and write that variable's name here, and if it was a secret, revoke it")
}
