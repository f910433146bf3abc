package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// notShown stands for the value of a key that names a file and may be the secret
// itself.
const notShown = "(not shown)"

// ShownFile is the path of a file with a secret, for a message: in full where it
// plainly is a path, else not at all. Whoever pastes the secret where its file
// belongs must not find it in a log.
func (c *Config) ShownFile(name string) string {
	return shownFile(name, c.Path(name))
}

// fileName is a name with an ending, such as token.txt.
var fileName = regexp.MustCompile(`\.[A-Za-z]{2,10}$`)

// shownFile is name where a file lies at path, or its folder is there and the name
// is written as one of a file is.
func shownFile(name, path string) string {
	if _, err := os.Lstat(path); err == nil {
		return name
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	written := strings.Contains(name, "/") && folder != "/" || fileName.MatchString(name)
	if err == nil && info.IsDir() && written && !strings.Contains(name, "//") && !strings.HasSuffix(name, "/") {
		return name
	}
	return notShown
}

// UnreadFile is why a file with a secret can't be read, without its path where
// that may be the secret.
func UnreadFile(name string, err error) error {
	failed, is := errors.AsType[*fs.PathError](err)
	if !is {
		return fmt.Errorf("the file that it names %s can't be read", notShown)
	}
	if shownFile(name, failed.Path) == notShown {
		return fmt.Errorf("the file that it names %s, because it may be the secret itself: %w", notShown, failed.Err)
	}
	return err
}

// Shown is the config for people to read: where a file with a secret is named by
// what may be the secret itself, that isn't in it.
func (c *Config) Shown() *Config {
	shown := *c
	shown.Sources = slices.Clone(c.Sources)
	names := []*string{&shown.Warehouse.Credentials, &shown.Notify.Slack.TokenFile, &shown.Invoices.DeliverTo.S3.SecretAccessKeyFile, &shown.Warehouse.Lease.S3.SecretAccessKeyFile}
	for i := range shown.Sources {
		names = append(names, &shown.Sources[i].S3.SecretAccessKeyFile)
	}
	for _, name := range names {
		if *name != "" {
			*name = c.ShownFile(*name)
		}
	}
	return &shown
}
