package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverShows(t *testing.T) {
	secret := Secret{"xoxb-1-hush"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "token", secret)
	encoded, err := json.Marshal(struct{ Token Secret }{secret})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"String":          secret.String(),
		"%v":              fmt.Sprintf("%v", secret),
		"%+v in a struct": fmt.Sprintf("%+v", struct{ S Secret }{secret}),
		"%#v":             fmt.Sprintf("%#v", secret),
		"%s":              fmt.Sprintf("%s", secret),
		"%x":              fmt.Sprintf("%x", secret),
		"%d":              fmt.Sprintf("%d", secret),
		"%v of a pointer": fmt.Sprintf("%v", &secret),
		"JSON":            string(encoded),
		"slog":            log.String(),
	} {
		if strings.Contains(got, "hush") || strings.Contains(got, "68757368") || !strings.Contains(got, "***") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if secret.Reveal() != "xoxb-1-hush" {
		t.Error("Reveal must hand it out")
	}
}

// world stands for an environment and a disk.
func world(env, files map[string]string) (func(string) string, func(string) ([]byte, error)) {
	getenv := func(name string) string { return env[name] }
	readFile := func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("no such file")}
	}
	return getenv, readFile
}

func TestSlackToken(t *testing.T) {
	getenv, readFile := world(map[string]string{"T": " tok\n", "BLANK": " ", "HOOK": "https://hooks.slack.com/services/hush", "TWO": "xoxb-1\r\nX: hush"}, map[string]string{"t.txt": "tok\n", "empty": "\n"})
	tests := []struct {
		name  string
		slack SlackConfig
		want  string // "" = none
		err   string
	}{
		{"nothing configured", SlackConfig{}, "", ""},
		{"variable", SlackConfig{TokenEnv: "T"}, "tok", ""},
		{"variable not set", SlackConfig{TokenEnv: "U"}, "", "read Slack token: U is not set or is empty"},
		{"variable of blanks", SlackConfig{TokenEnv: "BLANK"}, "", "BLANK is not set or is empty"},
		{"variable that may be a password", SlackConfig{TokenEnv: "hunter2"}, "", "the variable that it names (not shown"},
		{"no variable", SlackConfig{TokenEnv: "a/b"}, "", "is not the name of an environment variable"},
		{"a webhook's address", SlackConfig{TokenEnv: "HOOK"}, "", "is no token but an address, or has blanks or line ends in it (not shown)"},
		{"two lines", SlackConfig{TokenEnv: "TWO"}, "", "is no token but an address, or has blanks or line ends in it (not shown)"},
		{"file", SlackConfig{TokenFile: "t.txt"}, "tok", ""},
		{"file missing", SlackConfig{TokenFile: "none.txt"}, "", "read Slack token: open none.txt: no such file; make the file readable"},
		{"file empty", SlackConfig{TokenFile: "empty"}, "", "read Slack token: empty is empty; write the secret into it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := tt.slack.Token(getenv, readFile)
			if tt.err != "" {
				wantError(t, err, tt.err)
			} else if err != nil {
				t.Fatal(err)
			}
			if got.Reveal() != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v", got.Reveal(), ok)
			}
		})
	}
}

func TestS3Credentials(t *testing.T) {
	getenv, readFile := world(map[string]string{"ID": "id", "KEY": "key", "SESSION": "s"}, map[string]string{"key.txt": "key\n"})
	tests := []struct {
		name string
		s3   S3
		want S3Credentials
		err  string
	}{
		{"nothing configured", S3{Region: "eu-central-1"}, S3Credentials{}, ""},
		{"variables", S3{AccessKeyIDEnv: "ID", SecretAccessKeyEnv: "KEY"}, S3Credentials{AccessKeyID: "id", SecretAccessKey: Secret{"key"}}, ""},
		{"file and session", S3{AccessKeyIDEnv: "ID", SecretAccessKeyFile: "key.txt", SessionTokenEnv: "SESSION"}, S3Credentials{"id", Secret{"key"}, Secret{"s"}}, ""},
		{"id not set", S3{AccessKeyIDEnv: "NO", SecretAccessKeyEnv: "KEY"}, S3Credentials{}, "NO is not set"},
		{"key not set", S3{AccessKeyIDEnv: "ID", SecretAccessKeyEnv: "NO"}, S3Credentials{}, "NO is not set"},
		{"session not set", S3{AccessKeyIDEnv: "ID", SecretAccessKeyEnv: "KEY", SessionTokenEnv: "NO"}, S3Credentials{}, "NO is not set"},
		{"key file missing", S3{AccessKeyIDEnv: "ID", SecretAccessKeyFile: "no.txt"}, S3Credentials{}, "open no.txt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := tt.s3.Credentials(getenv, readFile)
			if tt.err != "" {
				wantError(t, err, tt.err)
			} else if err != nil {
				t.Fatal(err)
			}
			if got != tt.want || ok != (tt.want != S3Credentials{}) {
				t.Errorf("got id %q key %q session %q, %v", got.AccessKeyID, got.SecretAccessKey.Reveal(), got.SessionToken.Reveal(), ok)
			}
		})
	}
}

// Goal: a secret that was pasted into the file is refused and not repeated.
// Method: put secrets of known shapes into every place that could invite them.
func TestPastedSecretsAreRefusedUnseen(t *testing.T) {
	const token, keyID, key = "xoxb-123-HUSH", "AKIAHUSHHUSHHUSHHUSH", "HUSHwJalrXUtnFEMI7K7MDENGbPxRfiCYEXAMPLE"
	tests := []struct{ name, yaml string }{
		{"token as variable", "notify: {slack: {token_env: " + token + "}}"},
		{"token as file", "notify: {slack: {token_file: " + token + "}}"},
		{"token as channel", "notify: {slack: {default_channel: 'a " + token + "'}}"},
		{"token as key", "notify: {slack: {token: " + token + "}}"},
		{"token as choice", "warehouse: {engine: " + token + "}"},
		{"token in broken YAML", "notify: {slack: {token_env: " + token},
		{"key id as variable", "sources: [{name: a, format: bedrock, url: 's3://b', s3: {access_key_id_env: " + keyID + ", secret_access_key_env: S}}]"},
		{"user's name in an endpoint", "sources: [{name: a, format: bedrock, url: 's3://b', s3: {endpoint: 'https://u:HUSH@h.example.com'}}]"},
		{"query of an endpoint", "sources: [{name: a, format: bedrock, url: 's3://b', s3: {endpoint: 'https://h.example.com/?X-Amz-Signature=HUSH'}}]"},
		{"fragment of an endpoint", "notify: {slack: {api_url: 'https://h.example.com/#HUSH'}}"},
		{"endpoint that is the secret", "notify: {slack: {api_url: 'HUSH'}}"},
		{"query of a place", "sources: [{name: a, format: bedrock, url: 's3://b/p?X-Amz-Signature=HUSH'}]"},
		{"signed address as a place", "sources: [{name: a, format: bedrock, url: 'https://b.example.com/p?X-Amz-Signature=HUSH'}]"},
		{"keys in a place", "invoices: {deliver_to: {url: 's3://AKIA:HUSH@b/p'}}"},
		{"webhook as channel", "notify: {slack: {default_channel: 'https://hooks.slack.com/services/T0/B0/HUSH'}}"},
		{"webhook as company", "company: {name: E}\ncompany_: 'https://hooks.slack.com/services/T0/B0/HUSH'"},
		{"webhook as choice", "warehouse: {engine: 'https://hooks.slack.com/services/T0/B0/HUSH'}"},
		{"credentials as file", "warehouse: {engine: bigquery, credentials: '{\"private_key\": \"HUSH\"}'}"},
		{"key as file", "sources: [{name: a, format: bedrock, url: 's3://b', s3: {access_key_id_env: ID, secret_access_key_file: " + key + "}}]"},
		{"key as variable", "sources: [{name: a, format: bedrock, url: 's3://b', s3: {access_key_id_env: ID, secret_access_key_env: " + key + "}}]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte("company: {name: E, billing_zone: UTC, start: 2026-10-01}\n"+tt.yaml+"\n"))
			if err == nil {
				t.Fatal("loaded")
			}
			if strings.Contains(err.Error(), "HUSH") {
				t.Errorf("shows the secret: %v", err)
			}
		})
	}
}

// Goal: every secret that can be named is looked for, and what is missing is told
// by its key; a name that may be the secret isn't repeated.
// Method: settings that name all of them, in an environment that has none, and one
// that has all but one.
func TestSecretsAreThere(t *testing.T) {
	const all = `
notify: {slack: {token_env: SLACK_BOT_TOKEN, default_channel: "#costs"}}
budgets: [{department: D, amount_usd: "1"}]
invoices: {dir: d, deliver_to: {url: "s3://b/p", s3: {access_key_id_env: OUT_ID, secret_access_key_env: OUT_KEY}}}
sources:
  - {name: a, format: litellm, url: "s3://b/p", s3: {access_key_id_env: IN_ID, secret_access_key_env: IN_KEY, session_token_env: IN_SESSION}}
company: {name: E, billing_zone: UTC, start: 2026-10-01}
`
	keys := map[string]string{
		"SLACK_BOT_TOKEN": "notify.slack.token_env", "OUT_ID": "invoices.deliver_to.s3.access_key_id_env", "OUT_KEY": "invoices.deliver_to.s3.secret_access_key_env",
		"IN_ID": "sources[0].s3.access_key_id_env", "IN_KEY": "sources[0].s3.secret_access_key_env", "IN_SESSION": "sources[0].s3.session_token_env",
	}
	_, err := Parse("c.yaml", []byte(all), SecretsAreThere(func(string) string { return "" }))
	for name, key := range keys {
		wantError(t, err, key+": read ")
		wantError(t, err, name+" is not set or is empty")
		_, one := Parse("c.yaml", []byte(all), SecretsAreThere(func(asked string) string {
			if asked == name {
				return ""
			}
			return "there"
		}))
		wantError(t, one, name+" is not set or is empty")
		if strings.Contains(one.Error(), "\n") {
			t.Errorf("without %s: %v", name, one)
		}
	}
	if _, err := Parse("c.yaml", []byte(all), SecretsAreThere(func(string) string { return "there" })); err != nil {
		t.Error(err)
	}
	silent := strings.Replace(all, "budgets: [{department: D, amount_usd: \"1\"}]\n", "", 1)
	if _, err := Parse("c.yaml", []byte(silent), SecretsAreThere(func(string) string { return "" })); err == nil || strings.Contains(err.Error(), "SLACK_BOT_TOKEN") {
		t.Errorf("where nothing is sent, the token is wanted: %v", err)
	}
	_, err = Parse("c.yaml", []byte(strings.Replace(all, "SLACK_BOT_TOKEN", "hush", 1)), SecretsAreThere(func(string) string { return "" }))
	if wantError(t, err, "notify.slack.token_env: read Slack token: the variable that it names"); strings.Contains(err.Error(), "hush ") {
		t.Error(err)
	}
}
