package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

const readmeLinesMax = 150

// Goal: the front page stays short.
// Method: count its lines and the terms of its glossary.
func TestReadmeIsShort(t *testing.T) {
	text := string(page(t, "README.md"))
	if lines := strings.Count(text, "\n"); lines > readmeLinesMax {
		t.Errorf("README.md has %d lines, at most %d are meant; move what goes deeper to its folder's page", lines, readmeLinesMax)
	}
	_, glossary, _ := strings.Cut(text, "\n## Glossary\n")
	if terms := strings.Count(glossary, "\n| ") - 1; terms < 30 {
		t.Errorf("the glossary has %d lines", terms)
	}
}

// Goal: the worked examples of the format mapped are those that a script runs.
// Method: each block of them in extract/README.md stands in the script as it is.
func TestWorkedExamples(t *testing.T) {
	readme := page(t, "extract/README.md")
	script, err := os.ReadFile("testdata/script/mapped.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n**mapped**")
	section, _, _ = strings.Cut(section, "\n**people**")
	blocks := regexp.MustCompile("(?s)```[a-z]+\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 8 {
		t.Errorf("%d blocks, want data and settings of four examples", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(string(script), block[1]) {
			t.Errorf("mapped.txtar doesn't hold\n%s", block[1])
		}
	}
}

// Goal: no page names a command or a flag that there is not.
// Method: every command in code marks or code blocks of all pages is looked up in the
// command line.
func TestPagesNameCommandsThatExist(t *testing.T) {
	found := 0
	for name, text := range pages(t) {
		for _, line := range commandsIn(text) {
			found++
			if problem := unknownWords(line); problem != "" {
				t.Errorf("%s: `%s`: %s", name, line, problem)
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d commands in all pages; the test looked in the wrong place", found)
	}
}

func TestUnknownWords(t *testing.T) {
	for line, wrong := range map[string]bool{
		"chargeback run nightly --date 2026-10-31": false,
		"chargeback run yearly":                    true,
		"chargeback run nightly --day 2026-10-31":  true,
		"chargeback runs":                          true,
		"chargeback explain REQUEST-ID":            false,
		"chargeback VERB --help":                   false,
	} {
		if got := unknownWords(line) != ""; got != wrong {
			t.Errorf("%q: wrong %v, want %v", line, got, wrong)
		}
	}
}

// Goal: every link between pages leads somewhere.
// Method: each relative link names a file, and its anchor, where it has one, a heading
// of that page.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	all := pages(t)
	for name, text := range all {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target := name
			if found[1] != "" {
				target = filepath.Join(filepath.Dir(name), found[1])
			}
			if _, err := os.Stat(filepath.Join("../..", target)); err != nil {
				t.Errorf("%s: link to %s, which does not exist", name, target)
			} else if found[2] != "" && !anchors(all[target])[found[2]] {
				t.Errorf("%s: %s has no heading #%s", name, target, found[2])
			}
		}
	}
}

// anchors are the names by which a page's headings are linked.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

// commandsIn gives each command of chargeback that a page shows in code marks or blocks.
func commandsIn(text string) []string {
	var found []string
	for _, marked := range regexp.MustCompile("`(chargeback [^`\n]+)`").FindAllStringSubmatch(text, -1) {
		found = append(found, marked[1])
	}
	return append(found, blockCommands(text)...)
}

// blockCommands gives those in blocks of code.
func blockCommands(text string) []string {
	var found []string
	for _, line := range regexp.MustCompile(`(?m)^(?:    |\$ )(chargeback [^\n]*)`).FindAllStringSubmatch(text, -1) {
		found = append(found, line[1])
	}
	return found
}

// unknownWords says what of a command line there is not, or "". Words in capitals stand for
// something.
func unknownWords(line string) string {
	line, _, _ = strings.Cut(line, " #")
	line, _, _ = strings.Cut(line, " >")
	root := rootCommand(world{out: io.Discard, err: io.Discard, log: newLog(formatText, io.Discard, scriptNow, 1)})
	words := strings.Fields(line)[1:]
	if words[0] == strings.ToUpper(words[0]) {
		return ""
	}
	c, rest, err := root.Find(words)
	if err != nil {
		return err.Error()
	}
	if len(rest) > 0 && c.HasAvailableSubCommands() && c.Args != nil && !strings.HasPrefix(rest[0], "-") {
		if err := c.Args(c, rest); err != nil {
			return err.Error()
		}
	}
	for _, flag := range regexp.MustCompile(`(?:^| )--([a-z-]+)`).FindAllStringSubmatch(line, -1) {
		if flag[1] != "help" && flag[1] != "version" && !hasFlag(c, flag[1]) {
			return "there is no flag --" + flag[1]
		}
	}
	return ""
}

// hasFlag says whether a command or one below it has a flag.
func hasFlag(c *cobra.Command, name string) bool {
	if c.Flag(name) != nil || c.Root().PersistentFlags().Lookup(name) != nil {
		return true
	}
	for _, child := range c.Commands() {
		if hasFlag(child, name) {
			return true
		}
	}
	return false
}

func page(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// pages are all pages of the module, by their path, but the changelog, which also tells of
// what was.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name != "." && strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case filepath.Ext(name) == ".md" && name != "CHANGELOG.md":
			found[name] = string(page(t, name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// shown PAGE COMMAND FILE fails where a block of a page that begins with "$ COMMAND" shows
// what the file doesn't hold. A line of ... stands for any lines; the lines between two of
// them stand in the file one behind the other.
func shown(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join("../..", args[0]))
	ts.Check(err)
	_, block, ok := strings.Cut(string(text), "\n```\n$ "+args[1]+"\n")
	if !ok {
		ts.Fatalf("%s has no block that begins with $ %s", args[0], args[1])
	}
	block, _, _ = strings.Cut(block, "```\n")
	rest := "\n" + ts.ReadFile(args[2])
	for _, part := range regexp.MustCompile(`(?m)^ *\.\.\.\n`).Split(block, -1) {
		_, after, ok := strings.Cut(rest, "\n"+part)
		if !ok {
			ts.Fatalf("%s shows\n%s\nwhich %s prints no more, or elsewhere", args[0], part, args[1])
		}
		rest = "\n" + after
	}
}

// steps PAGE HEADING FROM TO runs the commands of the first block below a heading of a page,
// from the one that begins with FROM to the one that begins with TO, as they stand there.
// Each may find that something needs attention.
func steps(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join("../..", args[0]))
	ts.Check(err)
	_, section, _ := strings.Cut(string(text), "\n## "+args[1]+"\n")
	running := false
	for _, line := range blockCommands(section) {
		running = running || strings.HasPrefix(line, args[2])
		if running {
			step(ts, line)
		}
		if running && strings.HasPrefix(line, args[3]) {
			return
		}
	}
	ts.Fatalf("%s has no command %s and %s below %s", args[0], args[2], args[3], args[1])
}

func step(ts *testscript.TestScript, line string) {
	line, _, _ = strings.Cut(line, " #")
	line, file, keeps := strings.Cut(line, " > ")
	words := strings.Fields(line)
	err := ts.Exec(words[0], words[1:]...)
	var failed *exec.ExitError
	if err != nil && (!errors.As(err, &failed) || failed.ExitCode() != exitLook) {
		ts.Fatalf("%s: %v", line, err)
	}
	if keeps {
		ts.Check(os.WriteFile(ts.MkAbs(strings.TrimSpace(file)), []byte(ts.ReadFile("stdout")), 0o600))
	}
}
