package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// The kinds of places that a source can name.
const (
	SchemeFile = "file"
	SchemeS3   = "s3"
)

// Location is where a source lies: a path for file, a bucket and prefix for s3.
type Location struct {
	Scheme string
	// Path is a folder or file, as it was written; it may be relative.
	Path string
	// Bucket and Prefix are for s3. Prefix has no slash at its end and may be "".
	Bucket, Prefix string
}

// ParseURL reads "file:PATH" or "s3://bucket/prefix". The path and the prefix
// are taken as they are, without percent decoding. One slash at the end makes
// no difference. Credentials in a URL are refused and not repeated.
func ParseURL(s string) (Location, error) {
	scheme, rest, found := strings.Cut(s, ":")
	switch {
	case found && scheme == SchemeFile:
		return parseFile(rest)
	case found && scheme == SchemeS3:
		return parseS3(rest)
	case found && len(scheme) > 1 && strings.HasPrefix(rest, "//"):
		return Location{}, fmt.Errorf("unknown scheme %q; write file:PATH or s3://bucket/prefix", scheme)
	}
	return Location{}, errors.New("a source URL begins with its kind; write file:PATH or s3://bucket/prefix")
}

func parseFile(path string) (Location, error) {
	if after, ok := strings.CutPrefix(path, "//"); ok {
		if !strings.HasPrefix(after, "/") {
			return Location{}, errors.New("file:// takes an absolute path; write file:data/logs or file:///data/logs")
		}
		path = after
	}
	switch {
	case path == "":
		return Location{}, errors.New("file: has no path; write file:PATH, or file:. for the folder itself")
	case strings.ContainsRune(path, 0):
		return Location{}, errors.New("file: path has a NUL character; write the path without it")
	}
	return Location{Scheme: SchemeFile, Path: filepath.Clean(path)}, nil
}

func parseS3(rest string) (Location, error) {
	after, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return Location{}, errors.New("s3: takes two slashes; write s3://bucket/prefix")
	}
	bucket, prefix, _ := strings.Cut(after, "/")
	switch {
	case strings.ContainsAny(bucket, "@:"):
		return Location{}, errors.New("the bucket has a user, password or port in it; write s3://bucket/prefix and set keys and endpoint beside the URL")
	case strings.ContainsRune(after, '?'):
		return Location{}, errors.New("the URL has a ? in it; write s3://bucket/prefix and set options beside the URL")
	case !isBucketName(bucket):
		return Location{}, fmt.Errorf("%q is not a bucket name (3 to 63 lower-case letters, digits, dots and hyphens); write s3://bucket/prefix", bucket)
	}
	return Location{Scheme: SchemeS3, Bucket: bucket, Prefix: strings.TrimSuffix(prefix, "/")}, nil
}

func isBucketName(s string) bool {
	if len(s) < 3 || len(s) > 63 || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		inner := i > 0 && i < len(s)-1 && (c == '-' || c == '.')
		if !inner && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// String is the URL; ParseURL reads it back.
func (l Location) String() string {
	switch {
	case l.Scheme == SchemeFile:
		return "file:" + l.Path
	case l.Prefix == "":
		return "s3://" + l.Bucket
	case strings.HasSuffix(l.Prefix, "/"):
		return "s3://" + l.Bucket + "/" + l.Prefix + "/"
	}
	return "s3://" + l.Bucket + "/" + l.Prefix
}

// In makes a relative file path start at dir; other locations stay as they are.
func (l Location) In(dir string) Location {
	if l.Scheme == SchemeFile && !filepath.IsAbs(l.Path) {
		l.Path = filepath.Join(dir, l.Path)
	}
	return l
}

// SplitFile reads the location as one file: the folder that holds it and its
// name there, for Only. The name is "" where the location can't be a file.
func (l Location) SplitFile() (folder Location, name string) {
	folder = l
	if l.Scheme == SchemeFile {
		folder.Path, name = filepath.Dir(l.Path), filepath.Base(l.Path)
		if name == "." || name == ".." || name == string(filepath.Separator) {
			return l, ""
		}
		return folder, name
	}
	folder.Prefix, name = "", l.Prefix
	if cut := strings.LastIndexByte(l.Prefix, '/'); cut >= 0 {
		folder.Prefix, name = l.Prefix[:cut], l.Prefix[cut+1:]
	}
	return folder, name
}
