package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Goal: what is pasted where the file of a secret belongs is in no message.
// Method: secrets as they are, and paths, under each key that names such a file.
func TestFilesOfSecretsAreShownOnlyAsPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"plain", "empty"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, shown := range map[string]bool{
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": false,
		"/K7MDENGbPxRfiCYEXAMPLEKEYwJalrXUtnFEMIx": false,
		"K7MDENG+PxRfiCYEXAMPLEKEYwJalrXUtnFEMIx/": false,
		"sub//K7MDENG":                  false,
		"hunter2":                       false,
		"Hunter.2!":                     false,
		"hush":                          false,
		"no/token.txt":                  false,
		"token.txt":                     true,
		"sub/token":                     true,
		"./token":                       true,
		"plain":                         true,
		filepath.Join(dir, "sub/token"): true,
	} {
		c := &Config{Dir: dir, Sources: []Source{{S3: S3{AccessKeyIDEnv: "ID", SecretAccessKeyFile: name}}}}
		c.Warehouse.Credentials, c.Notify.Slack.TokenFile = name, name
		c.Warehouse.Lease.S3.SecretAccessKeyFile, c.Invoices.DeliverTo.S3.SecretAccessKeyFile = name, name
		c.Budgets = []Budget{{}}
		said := 0
		SecretsAreThere(func(string) string { return "there" })(c, func(path, format string, args ...any) {
			said++
			text := fmt.Sprintf(format, args...)
			if strings.Contains(text, filepath.Clean(name)) != shown || shown == strings.Contains(text, "(not shown)") {
				t.Errorf("%s: %s: %s", name, path, text)
			}
		})
		if said != 5 {
			t.Errorf("%s: %d messages", name, said)
		}
		if strings.Contains(c.Shown().Describe(), name) != shown {
			t.Errorf("%s: %s", name, c.Shown().Describe())
		}
		if c.Sources[0].S3.SecretAccessKeyFile != name {
			t.Errorf("%s: the settings themselves were changed", name)
		}
	}
}
