package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Goal: a stranger finds each line in the room where they would look for it,
// and money meets no clock and no float on its way.
// Method: parse every Go file of the module and hold it against the rules in
// tidy_rules_test.go.
func TestTidy(t *testing.T) {
	m, err := loadModule(os.DirFS(moduleRoot(t)))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.sources) == 0 {
		t.Fatal("found no Go file; the test looked in the wrong place")
	}
	for _, finding := range m.findings() {
		t.Error(finding)
	}
}

// moduleRoot is the nearest folder upward that holds go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod in any folder upward")
		}
		dir = parent
	}
}

// module is a Go module as the rules see it. Paths are slash-separated and
// relative to its root.
type module struct {
	name    string // as go.mod says
	fset    *token.FileSet
	sources []source
	texts   []text
	folders []string // at the top, without dot folders and ignored ones
	files   map[string]bool
}

// source is one Go file.
type source struct {
	path, dir string
	test      bool // *_test.go
	ast       *ast.File
}

// text is a file that people write beside Go: SQL, YAML, make and shell.
type text struct{ path, content string }

func (m *module) findings() []string {
	var all []string
	for _, rule := range rules {
		for _, found := range rule.find(m) {
			all = append(all, fmt.Sprintf("%s [%s]", found, rule.name))
		}
	}
	return all
}

// at formats a finding: path:line: what is wrong.
func (m *module) at(s source, pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, m.line(pos), fmt.Sprintf(format, args...))
}

func (m *module) line(pos token.Pos) int { return m.fset.Position(pos).Line }

// ours gives an import's folder within the module, or false for foreign ones.
func (m *module) ours(spec *ast.ImportSpec) (string, bool) {
	return strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), m.name+"/")
}

// loadModule reads all of a module but dot folders, testdata and the folders
// at the top that .gitignore names.
func loadModule(fsys fs.FS) (*module, error) {
	m := &module{fset: token.NewFileSet(), files: map[string]bool{}}
	goMod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, err
	}
	name := regexp.MustCompile(`(?m)^module\s+(\S+)`).FindSubmatch(goMod)
	if name == nil {
		return nil, fmt.Errorf("go.mod names no module")
	}
	m.name = string(name[1])
	ignored := ignoredFolders(fsys)
	err = fs.WalkDir(fsys, ".", func(p string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || p == ".":
			return err
		case entry.IsDir():
			if strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || slices.Contains(ignored, p) {
				return fs.SkipDir
			}
			if !strings.Contains(p, "/") {
				m.folders = append(m.folders, p)
			}
			return nil
		}
		m.files[p] = true
		return m.loadFile(fsys, p)
	})
	return m, err
}

func (m *module) loadFile(fsys fs.FS, p string) error {
	isGo := path.Ext(p) == ".go"
	if !isGo && path.Base(p) != "Makefile" && !slices.Contains([]string{".sql", ".yaml", ".yml", ".sh"}, path.Ext(p)) {
		return nil
	}
	content, err := fs.ReadFile(fsys, p)
	if err != nil {
		return err
	}
	if !isGo {
		m.texts = append(m.texts, text{p, string(content)})
		return nil
	}
	file, err := parser.ParseFile(m.fset, p, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	m.sources = append(m.sources, source{path: p, dir: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), ast: file})
	return nil
}

// ignoredFolders reads the lines of .gitignore that name a folder plainly.
func ignoredFolders(fsys fs.FS) []string {
	content, err := fs.ReadFile(fsys, ".gitignore")
	if err != nil {
		return nil // none is fine
	}
	var folders []string
	for line := range strings.Lines(string(content)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "/")
		if folder, ok := strings.CutSuffix(line, "/"); ok && !strings.ContainsAny(folder, "*?[/#") {
			folders = append(folders, folder)
		}
	}
	return folders
}
