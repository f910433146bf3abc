package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"chargeback/config"
	"chargeback/transform/directory"
)

// Goal: a secret that was pasted into any key of the settings is in no output.
// Method: into each text of the settings in turn, found by reflection, put an
// address with a secret in its user's name, its path of a webhook and its query,
// and a token; and keys of S3 where the name of a variable belongs. Once the
// settings are else right, once every list that they may have has an entry.
func TestPastedSecretsAreInNoOutput(t *testing.T) {
	const secret = "CANARY4d1f"
	pasted := []string{
		"https://user:" + secret + "@hooks.example.com/services/" + secret + "?X-Amz-Signature=" + secret,
		"s3://AKIA:" + secret + "@bucket/prefix?sig=" + secret,
		"xoxb-1-" + secret,
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"directory.yaml": directory.Example, "people.csv": []byte(peopleExample)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "chargeback.yaml")
	leaks := func(what, text string, commands ...string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range commands {
			var out bytes.Buffer
			w := world{out: &out, err: &out, now: func() time.Time { return scriptClock }, getenv: func(string) string { return "" }, columns: 100, program: "chargeback"}
			code := run(context.Background(), w, append(strings.Fields(command), "--config", path))
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s: %s (exit %d) shows the secret:\n%s", what, command, code, out.String())
			}
		}
	}
	keys := 0
	for _, full := range []bool{false, true} {
		c, err := config.Parse(path, config.Example)
		if err != nil {
			t.Fatal(err)
		}
		c.Sources = c.Sources[:min(2, len(c.Sources))] // more of them have the same keys
		eachText("", reflect.ValueOf(c).Elem(), full, func(key string, text reflect.Value) {
			keys++
			before := text.String()
			for _, paste := range pasted {
				text.SetString(paste)
				commands := []string{"config check", "config check --all"}
				if full {
					commands = []string{"config check", "doctor", "run", "status"} // which end by the settings
				}
				leaks(key, c.Describe(), commands...)
			}
			if strings.HasSuffix(key, "_env") {
				text.SetString("wJalr/" + secret)
				leaks(key, c.Describe(), "config check", "doctor", "run", "status")
			}
			if strings.HasSuffix(key, "_file") || strings.HasSuffix(key, ".credentials") {
				for _, paste := range []string{"wJalr/K7MDENG/" + secret, "/" + secret, secret} {
					text.SetString(paste)
					leaks(key, c.Describe(), "config check", "config check --all", "doctor", "run", "status")
				}
			}
			text.SetString(before)
		})
	}
	if keys < 100 {
		t.Errorf("%d keys were tried", keys)
	}
}

// eachText visits every text below v. With full, an empty list gets an entry first.
func eachText(key string, v reflect.Value, full bool, visit func(key string, text reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		visit(key, v)
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" {
				eachText(key+"."+name, v.Field(i), full, visit)
			}
		}
	case reflect.Slice:
		if full && v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			eachText(key+"[]", v.Index(i), full, visit)
		}
	}
}
