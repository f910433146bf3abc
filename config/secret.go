package config

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"chargeback/transform/strictyaml"
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
// neither is named. One that is named and isn't there, or is empty, is an error:
// to go on without it would do something else than the settings say.
func (from lookup) secret(what, env, file string) (Secret, bool, error) {
	if env != "" {
		if !variableName(env) {
			return Secret{}, false, fmt.Errorf("read %s: what stands for the variable's name %s", what, noVariable)
		}
		value := strings.TrimSpace(from.getenv(env))
		if value == "" {
			return Secret{}, false, fmt.Errorf("read %s: %s is not set or is empty; set it for this process, or take it out of the settings", what, shownVariable(env))
		}
		return Secret{value}, true, nil
	}
	if file == "" {
		return Secret{}, false, nil
	}
	data, err := from.readFile(file)
	if err != nil {
		return Secret{}, false, fmt.Errorf("read %s: %w; make the file readable for this user or correct its path in the config", what, UnreadFile(file, err))
	}
	value := strings.TrimSpace(string(data))
	if value == "" {
		return Secret{}, false, fmt.Errorf("read %s: %s is empty; write the secret into it", what, file)
	}
	return Secret{value}, true, nil
}

// Token finds Slack's token by TokenEnv or TokenFile. It returns false, and no
// error, where neither is set: messages then go to the console. Config.ReadFile
// is a fitting readFile.
func (s SlackConfig) Token(getenv func(string) string, readFile func(string) ([]byte, error)) (Secret, bool, error) {
	token, ok, err := lookup{getenv, readFile}.secret(slackToken, s.TokenEnv, s.TokenFile)
	if err != nil || !ok {
		return token, ok, err
	}
	if err := isToken(token); err != nil {
		return Secret{}, false, err
	}
	return token, true, nil
}

const slackToken = "Slack token"

// isToken refuses what no header can carry, or is an address, without showing it.
func isToken(token Secret) error {
	value := token.Reveal()
	if strings.Contains(value, "://") || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("read %s: what is there is no token but an address, or has blanks or line ends in it (not shown); put the app's bot token there", slackToken)
	}
	return nil
}

// S3Credentials are static keys for a bucket.
type S3Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret // empty for long-lived keys
}

// Credentials finds static keys. It returns false where the config names none:
// the AWS default chain then applies.
func (s S3) Credentials(getenv func(string) string, readFile func(string) ([]byte, error)) (keys S3Credentials, named bool, err error) {
	from := lookup{getenv, readFile}
	for i, secret := range s.secrets() {
		value, ok, err := from.secret(secret.what, secret.env, secret.file)
		if err != nil {
			return S3Credentials{}, false, err
		}
		named = named || ok
		switch i {
		case 0:
			keys.AccessKeyID = value.Reveal()
		case 1:
			keys.SecretAccessKey = value
		case 2:
			keys.SessionToken = value
		}
	}
	return keys, named, nil
}

// namedSecret is a secret that the settings say where to find.
type namedSecret struct{ key, what, env, file string }

// secrets are the key's id, the key and the token of a session, in this order.
func (s S3) secrets() []namedSecret {
	key := namedSecret{"secret_access_key_env", "S3 secret access key", s.SecretAccessKeyEnv, s.SecretAccessKeyFile}
	if key.env == "" {
		key.key = "secret_access_key_file"
	}
	return []namedSecret{
		{"access_key_id_env", "S3 access key id", s.AccessKeyIDEnv, ""},
		key,
		{"session_token_env", "S3 session token", s.SessionTokenEnv, ""},
	}
}

// secrets are all that the settings name and a run needs, by their keys. Where no
// budget raises a message, Slack's token is not needed.
func (c *Config) secrets() (all []namedSecret) {
	slack := namedSecret{"notify.slack.token_env", slackToken, c.Notify.Slack.TokenEnv, c.Notify.Slack.TokenFile}
	if slack.env == "" {
		slack.key = "notify.slack.token_file"
	}
	if len(c.Budgets) > 0 {
		all = append(all, slack)
	}
	all = append(all, namedSecret{"warehouse.credentials", "credentials of Google", "", c.Warehouse.Credentials})
	add := func(path string, s3 S3) {
		for _, secret := range s3.secrets() {
			secret.key = path + "." + secret.key
			all = append(all, secret)
		}
	}
	for i, src := range c.Sources {
		add(fmt.Sprintf("sources[%d].s3", i), src.S3)
	}
	add("invoices.deliver_to.s3", c.Invoices.DeliverTo.S3)
	add("warehouse.lease.s3", c.Warehouse.Lease.S3)
	return all
}

// SecretsAreThere is the check that every secret that the settings name can be
// read.
func SecretsAreThere(getenv func(string) string) Check {
	return func(c *Config, failf func(path, format string, args ...any)) {
		from := lookup{getenv, c.ReadFile}
		for _, secret := range c.secrets() {
			value, _, err := from.secret(secret.what, secret.env, secret.file)
			if err == nil && secret.what == slackToken {
				err = isToken(value)
			}
			if err != nil {
				failf(secret.key, "%v", err)
			}
		}
	}
}

// envName is what a shell accepts; secretLike are well-known shapes that it
// would accept too: an AWS key id, and long mixed keys.
var (
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	secretLike = regexp.MustCompile(`^A[KS]IA[A-Z0-9]{12,}$|^[A-Za-z0-9]{32,}$`)
	plainly    = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,15}$|^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)
)

func variableName(name string) bool {
	return envName.MatchString(name) && !secretLike.MatchString(name)
}

// shownVariable is a variable's name for a message. One that is written as no
// variable usually is may be a password, and isn't shown.
func shownVariable(name string) string {
	if plainly.MatchString(name) {
		return name
	}
	return "the variable that it names (not shown: it isn't written in capitals, so it may be the secret itself)"
}

const noVariable = "is not the name of an environment variable and may be the secret itself (not shown); " +
	"put the secret into a variable and write that variable's name here, and if it was a secret, revoke it"

// checkEnv refuses what is not the name of a variable, without printing it: it
// may be the secret itself.
func (doc document) checkEnv(path, name string) {
	if name != "" && !variableName(name) {
		doc.Failf(path, "%s", noVariable)
	}
}

// checkFile refuses a path that is rather the secret itself: of one line, as a
// token is, and without a dot or a slash.
func (doc document) checkFile(path, name string) {
	if secretLike.MatchString(name) || strictyaml.LooksLikeToken(name) || strings.ContainsAny(name, "\n{") {
		doc.Failf(path, "looks like the secret itself (not shown); put it into a file, write that file's path here, and revoke this one")
	}
}
