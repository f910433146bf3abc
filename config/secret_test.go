package config

import (
	"encoding/json"
	"errors"
	"fmt"
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
		return nil, errors.New("open " + path + ": no such file")
	}
	return getenv, readFile
}

func TestSlackToken(t *testing.T) {
	getenv, readFile := world(map[string]string{"T": " tok\n"}, map[string]string{"t.txt": "tok\n", "empty": "\n"})
	tests := []struct {
		name  string
		slack SlackConfig
		want  string // "" = none
		err   string
	}{
		{"nothing configured", SlackConfig{}, "", ""},
		{"variable", SlackConfig{TokenEnv: "T"}, "tok", ""},
		{"variable not set", SlackConfig{TokenEnv: "U"}, "", ""},
		{"file", SlackConfig{TokenFile: "t.txt"}, "tok", ""},
		{"file missing", SlackConfig{TokenFile: "none"}, "", "read Slack token: open none: no such file; make the file readable"},
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
