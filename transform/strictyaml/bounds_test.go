package strictyaml

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// stack is a file of many levels in one of the ways that YAML has.
var stacks = map[string]func(n int) string{
	"brackets":             func(n int) string { return "a: " + strings.Repeat("[", n) },
	"braces":               func(n int) string { return "a: " + strings.Repeat("{a: ", n) },
	"brackets over lines":  func(n int) string { return "a: " + strings.Repeat("[\n", n) },
	"dashes":               func(n int) string { return "a:\n  " + strings.Repeat("- ", n) },
	"questions":            func(n int) string { return strings.Repeat("? ", n) },
	"keys in a line":       func(n int) string { return strings.Repeat("a: ", n) },
	"anchors":              func(n int) string { return "a: " + strings.Repeat("! ", n) },
	"behind a quote":       func(n int) string { return "a: [it's, " + strings.Repeat("[", n) },
	"behind a comment":     func(n int) string { return "a: [x#, " + strings.Repeat("[", n) },
	"behind a text":        func(n int) string { return "a: |\n  [\n  [\nb: " + strings.Repeat("[", n) },
	"behind a short text":  func(n int) string { return "- - - a: |\n " + strings.Repeat("[", n) },
	"tags":                 func(n int) string { return "a: " + strings.Repeat("!a ", n) },
	"anchors with names":   func(n int) string { return "a: " + strings.Repeat("&a ", n) },
	"brackets in a tag":    func(n int) string { return "a: !x " + strings.Repeat("[", n) },
	"keys in brackets":     func(n int) string { return "a: [" + strings.Repeat("a: ", n) },
	"keys down brackets":   func(n int) string { return "a: [" + strings.Repeat("a:\n ", n) },
	"lines of typewriters": func(n int) string { return "a: b\rc: " + strings.Repeat("[\r", n) },
	"indents": func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return b.String()
	},
}

// Goal: a small file can't make the parser take much.
// Method: stack each thing that holds another a thousand times, and a few times.
func TestDeepFilesAreRefusedBeforeParsing(t *testing.T) {
	for name, stack := range stacks {
		var into struct {
			A string `yaml:"a"`
		}
		err := Decode("c.yaml", []byte("# one\n"+stack(1000)), &into).Err()
		if err == nil || !strings.Contains(err.Error(), "nests more than 64 levels") || strings.HasPrefix(err.Error(), "c.yaml:1:") {
			t.Errorf("%s: %v", name, err)
		}
		if Texts([]byte(stack(1000))) != nil {
			t.Errorf("%s: has texts", name)
		}
		if much := measure([]byte(stack(5))); much != nil {
			t.Errorf("five %s: %v", name, much)
		}
	}
}

// Goal: what is wide, or only looks deep, is read.
func TestBracketsThatAreTextAreNoDepth(t *testing.T) {
	many := strings.Repeat("[", 100)
	for name, text := range map[string]string{
		"quoted":             "a: '" + many + "'",
		"doubly quoted":      `a: "\"` + many + `"`,
		"quoted in brackets": "a: [['it''s " + many + "']]",
		"a comment":          "a: b # " + many,
		"a line of comment":  "# " + many + "\na: b",
		"plain text":         "a: see " + many,
		"literal text":       "a: |\n  " + many + "\n\n  " + many + "\nb: c",
		"folded text":        "l:\n  - >-\n    " + many + "\n  - b",
		"a long list":        "a: [" + strings.Repeat("{b: c, d: [-1, -2]}, ", 1000) + "]",
		"a long block":       "a:\n" + strings.Repeat("  - {b: c}\n  - b: c\n    d: e\n", 1000),
		"many lists":         strings.Repeat("- - - - a\n", 1000),
	} {
		if much := measure([]byte(text)); much != nil {
			t.Errorf("%s: line %d %s", name, much.line, much.text)
		}
	}
}

func TestFilesOfTooMuchAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"has more than 800000 keys": "a: [" + strings.Repeat("[],", tokensMax/4) + "]",
		"is larger than 16 MB":      "a: " + strings.Repeat("x", documentBytesMax),
	} {
		var into struct {
			A string `yaml:"a"`
		}
		if err := Decode("c.yaml", []byte(text), &into).Err(); err == nil || !strings.Contains(err.Error(), "c.yaml:1: "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"5002: has more than 5000 keys":    "# one\n" + numbered(keysMax+1, "k%d: 1\n"),
		"2: has more than 5000 keys":       "# one\na: {" + numbered(keysMax+1, "k%d: 1, ") + "}",
		"5001: has more than 5000 keys in": strings.Repeat("l:\n"+strings.Repeat("  k: 1\n", 99), 100),
		"1002: uses YAML anchors":          "# one\n" + numbered(marksMax+1, "k%d: &x 1\n"),
		"1001: holds more than 1000":       strings.Repeat("---\n", 300_000),
		"2001: holds more than 1000":       strings.Repeat("a: b\n---\n", 30_000)[5:],
		"5001: has more than 5000 keys ":   strings.Repeat("a: b\r", keysMax+1),
	} {
		var into struct {
			A string `yaml:"a"`
		}
		if err := Decode("c.yaml", []byte(text), &into).Err(); err == nil || !strings.Contains(err.Error(), "c.yaml:"+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := filepath.Join(t.TempDir(), "big.yaml")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(fileBytesMax + 1); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "is larger than 64 MB") {
		t.Error(err)
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// Goal: a file of many mistakes, or of long keys, is told in few words.
// Method: one more mistake than is told, many more, and none; a key and a value of
// a megabyte.
func TestManyMistakesAreToldInFewWords(t *testing.T) {
	type shape struct {
		A map[string]string `yaml:"a"`
	}
	for n, want := range map[int]string{0: "", 20: "", 21: "c.yaml: and more than these: 1; ", 4000: "c.yaml: and more than these: 3980; "} {
		var into shape
		err := Decode("c.yaml", []byte(numbered(n, "k%d: 1\n")), &into).Err()
		if n == 0 {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if want == "" && len(lines) != n || want != "" && (len(lines) != 21 || !strings.HasPrefix(lines[20], want)) || !strings.HasPrefix(lines[19], "c.yaml:20: k19: ") {
			t.Errorf("%d: %v", n, err)
		}
	}
	long := strings.Repeat("x\u0085\u2028", 200_000) + "x"
	var into shape
	err := Decode("c.yaml", []byte(long+": 1\na: {b: 1"+long+"}\n'\\e[2Jy': 1\n"), &into).Err()
	if err == nil || len(err.Error()) > 6000 || strings.ContainsAny(err.Error(), "\u0085\u2028") || !strings.Contains(err.Error(), "…: is not a known key; use one of a") {
		t.Errorf("%d bytes: %.300v", len(fmt.Sprint(err)), err)
	}
	one, two := Decode("one.yaml", []byte(numbered(15, "k%d: 1\n")), &into), DecodePart("two.yaml", 100, []byte(numbered(15, "k%d: 1\n")), &into)
	if err := Errs(one, two); err == nil || !strings.Contains(err.Error(), "two.yaml:105: k4: ") || !strings.HasSuffix(err.Error(), "\ntwo.yaml: and more than these: 10; correct the first ones and look again") {
		t.Error(err)
	}
}

// FuzzBounds holds what is read to a cost: no text of a few kilobytes takes the
// parser more memory than its tokens and depth allow.
func FuzzBounds(f *testing.F) {
	for _, stack := range stacks {
		f.Add([]byte(stack(5)))
		f.Add([]byte(stack(200)))
	}
	f.Add([]byte("a: &x [*x, *x]\nb: {<<: *x}\nc: !!str |2\n   d\n? e\n: f"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<12 {
			return
		}
		var before, after runtime.MemStats
		var into struct {
			A []string          `yaml:"a"`
			B map[string]string `yaml:"b"`
		}
		runtime.ReadMemStats(&before)
		Decode("c.yaml", text, &into)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("took %d MB for %d bytes", took>>20, len(text))
		}
	})
}
