package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Goal: the reader that three packages hold stays one reader.
// Method: compare their files, which differ in the package clause alone.
func TestReadersAreAlike(t *testing.T) {
	reader := func(path, pkg string) string {
		source, err := os.ReadFile(filepath.FromSlash(path))
		if err != nil {
			t.Fatal(err)
		}
		_, body, ok := strings.Cut(string(source), "package "+pkg+"\n")
		if !ok {
			t.Fatalf("%s is not package %s", path, pkg)
		}
		return body
	}
	want := reader("yaml.go", "config")
	for _, pkg := range []string{"rates", "directory"} {
		if reader("../transform/"+pkg+"/yaml.go", pkg) != want {
			t.Errorf("transform/%s/yaml.go differs from config/yaml.go; make the change in all three", pkg)
		}
	}
}
