package typeset

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
)

// Font is one font of a file. Of a font that nobody has drawn with yet only the
// list of its characters is in memory.
type Font struct {
	ID     ID
	path   string
	name   string // family, in lower case
	kind   int    // how far it is from a plain face, by its name
	aspect font.Aspect
	chars  font.Cmap
	pages  pages
	own    bool // named by the operator

	face   *font.Face // nil until it is drawn with
	broken error      // why it can't be
}

// ID names a font so that another one is not taken for it: the file's name
// without its folder, its place in a collection, and the SHA-256 of the file.
type ID struct {
	File   string
	Index  int
	SHA256 string
}

// sizeMax keeps a file that is no font out of memory; the largest collections
// of Chinese, Japanese and Korean have some 130 MB.
const sizeMax = 512 << 20

// scan reads what the fonts of a file are and which characters they have.
func scan(path string) ([]*Font, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > sizeMax {
		return nil, errors.Join(err, fmt.Errorf("%s is not a file of at most %d MB", path, sizeMax>>20))
	}
	return guard(func() ([]*Font, error) {
		members, err := opentype.NewLoaders(file)
		if err != nil {
			return nil, fmt.Errorf("%s is no font in TrueType or OpenType format: %w", path, err)
		}
		var fonts []*Font
		var problems []error
		for i, member := range members {
			f, err := describe(member)
			if err != nil {
				problems = append(problems, fmt.Errorf("font %d of %s: %w", i, path, err))
				continue
			}
			f.path, f.ID = path, ID{File: filepath.Base(path), Index: i}
			fonts = append(fonts, f)
		}
		if len(fonts) > 0 {
			return fonts, nil
		}
		return nil, errors.Join(problems...)
	})
}

func describe(member *opentype.Loader) (*Font, error) {
	outlines := false
	for _, table := range []string{"glyf", "CFF ", "CFF2"} {
		outlines = outlines || member.HasTable(opentype.MustNewTag(table))
	}
	if !outlines {
		return nil, errors.New("holds pictures instead of outlines, which can't be drawn on paper")
	}
	raw, err := member.RawTable(opentype.MustNewTag("cmap"))
	if err != nil {
		return nil, err
	}
	table, _, err := tables.ParseCmap(raw)
	if err != nil {
		return nil, err
	}
	chars, _, err := font.ProcessCmap(table, tables.FPNone)
	if err != nil {
		return nil, err
	}
	about, _ := font.Describe(member, nil)
	about.Aspect.SetDefaults()
	f := &Font{name: strings.ToLower(about.Family), aspect: about.Aspect, chars: chars, kind: 1}
	switch {
	case special.MatchString(f.name):
		f.kind = 2
	case plain.MatchString(f.name):
		f.kind = 0
	}
	if os2, err := member.RawTable(opentype.MustNewTag("OS/2")); err == nil && len(os2) >= 82 {
		f.pages = pages(binary.BigEndian.Uint32(os2[78:])) & (japanese | chinese | korean)
	}
	return f, nil
}

// pages is for which of the languages that write with the same characters, and
// draw them differently, a font is made, as the font says it.
type pages uint32

const (
	japanese pages = 1 << 17
	chinese  pages = 1 << 18
	korean   pages = 1 << 19
)

// wants is what a font should be made for that draws a run of a text.
type wants struct {
	pages  pages  // language
	script string // name of the script, as fonts for one script alone bear it
}

// wantsOf guesses what is wanted for a run of a text.
func wantsOf(text, run []rune) (w wants) {
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			w.pages = japanese
		case unicode.Is(unicode.Hangul, r) && w.pages != japanese:
			w.pages = korean
		case unicode.Is(unicode.Han, r) && w.pages == 0:
			w.pages = chinese
		}
	}
	for _, r := range run {
		if unicode.In(r, unicode.Common, unicode.Inherited) {
			continue
		}
		for name, script := range unicode.Scripts { // a character is of one
			if unicode.Is(script, r) {
				w.script = strings.ToLower(name)
			}
		}
		if w.script != "hiragana" && w.script != "katakana" && w.script != "hangul" && w.script != "han" {
			w.pages = 0
		}
		break
	}
	return w
}

// compare puts the font a before b that is rather made for what is wanted. Of a
// collection for several languages it is the member with the language's mark.
// Such fonts have other letters too, but poor ones.
func (w wants) compare(a, b *Font) int {
	mark := map[pages]string{japanese: " jp", chinese: " sc", korean: " kr"}[w.pages]
	off := func(f *Font) int {
		switch {
		case w.pages != 0 && f.pages&w.pages == 0, w.pages == 0 && f.pages != 0:
			return 2
		case w.pages != 0 && strings.Contains(f.name, mark):
			return 0
		case w.pages == 0 && w.script != "" && strings.Contains(f.name, w.script):
			return 0
		}
		return 1
	}
	return off(a) - off(b)
}

// guard turns a panic of the font library into an error: fonts come from
// anywhere.
func guard[T any](read func() (T, error)) (result T, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("font can't be read: %v", cause)
		}
	}()
	return read()
}

// load reads the whole font, once.
func (f *Font) load() error {
	if f.face == nil && f.broken == nil {
		f.broken = f.read()
	}
	return f.broken
}

func (f *Font) read() error {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	parsed, err := guard(func() (*font.Font, error) {
		members, err := opentype.NewLoaders(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if f.ID.Index >= len(members) {
			return nil, errors.New("has changed while it was used")
		}
		return font.NewFont(members[f.ID.Index])
	})
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.face = font.NewFace(parsed)
	sum := sha256.Sum256(data)
	f.ID.SHA256 = hex.EncodeToString(sum[:])
	return nil
}

// has says whether the font has all characters that a reader would see.
func (f *Font) has(runes []rune) bool {
	for _, r := range runes {
		if unicode.Is(unicode.Co, r) && !f.own { // each font means another thing by it
			return false
		}
		if _, ok := f.chars.Lookup(r); !ok && !Ignorable(r) {
			return false
		}
	}
	return true
}

// Weight is how heavy a text is set.
type Weight int

// The weights of the page.
const (
	Regular Weight = 400
	Bold    Weight = 700
)

// bold says whether the font is bold by itself.
func (f *Font) bold() bool { return f.aspect.Weight >= 600 }

var (
	special = regexp.MustCompile(`serif|mono|kufi|naskh|nastaliq|rashi|looped|myeongjo|batang|mincho|song|display|condensed|math|coding|round|brush|pen|lastresort`)
	plain   = regexp.MustCompile(`sans|gothic|hei`)
)

// compare puts the font before other that suits plain text of the weight
// better: upright, without serifs, of that weight, of usual width. The path
// comes last, so that a machine always has the same order.
func (f *Font) compare(other *Font, weight Weight) int {
	italic := func(f *Font) int {
		if f.aspect.Style == font.StyleItalic {
			return 1
		}
		return 0
	}
	off := func(f *Font) font.Weight {
		return max(f.aspect.Weight-font.Weight(weight), font.Weight(weight)-f.aspect.Weight)
	}
	wide := func(f *Font) font.Stretch { return max(f.aspect.Stretch-1, 1-f.aspect.Stretch) }
	return cmp.Or(
		cmp.Compare(italic(f), italic(other)), cmp.Compare(f.kind, other.kind), cmp.Compare(off(f), off(other)),
		cmp.Compare(wide(f), wide(other)), strings.Compare(f.path, other.path), cmp.Compare(f.ID.Index, other.ID.Index))
}
