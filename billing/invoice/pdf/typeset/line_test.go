package typeset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// latin stands for the built-in font of the page.
func latin(r rune) bool { return ' ' <= r && r <= '~' || 0xC0 <= r && r <= 0x17F }

// fontFolder is where Debian lays fonts. What needs one of them says so.
const fontFolder = "/usr/share/fonts"

func open(t testing.TB, files ...string) *Set {
	t.Helper()
	s, err := Open(files, []string{fontFolder})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWithoutFontsCodePointsStand(t *testing.T) {
	line := new(Set).Line("Ł-助手 2\u0301", Regular, latin)
	var got []string
	for _, p := range line.Pieces {
		got = append(got, p.Text)
	}
	if diff := cmp.Diff([]string{"Ł-", "[U+52A9]", "[U+624B]", " ", "2[U+0301]"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if string(line.Missing) != "\u0301助手" || len(line.Fonts) > 0 {
		t.Errorf("missing %q, fonts %v", string(line.Missing), line.Fonts)
	}
}

// Goal: letters join, conjuncts form and vowels move, as each script wants it.
// Method: shaped glyphs are fewer than letters, or clusters are of several letters.
func TestShaping(t *testing.T) {
	s := open(t) // "NotoSansArabic-Regular.ttf" and its like
	for _, row := range []struct {
		name, text string
		font       string
		clusters   []string // from left to right
	}{
		{"Arabic ligature", "سلام", "NotoSansArabic-Regular.ttf", []string{"م", "ال", "س"}},
		{"Hebrew points", "שָׁם", "NotoSansHebrew-Regular.ttf", []string{"ם", "\u05C1\u05B8ש"}},
		{"Devanagari conjunct and vowel", "क्षिति", "NotoSansDevanagari-Regular.ttf", []string{"क्षि", "ति"}},
		{"Thai tone mark", "น้ำ", "NotoSansThai-Regular.ttf", []string{"น้ำ"}},
		{"Han", "助手", "DroidSansFallbackFull.ttf", []string{"助", "手"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			line := s.Line(row.text, Regular, latin)
			if len(line.Fonts) != 1 || len(line.Pieces) != 1 {
				t.Fatalf("drawn with %v in %d pieces", line.Fonts, len(line.Pieces))
			}
			if file := line.Fonts[0].File; file != row.font {
				if _, err := os.Stat(filepath.Join(fontFolder, "truetype/wqy")); err != nil || row.name != "Han" {
					t.Errorf("drawn with %s, want %s", file, row.font)
				}
			}
			var got []string
			width := 0
			for _, c := range line.Pieces[0].Clusters {
				got = append(got, c.Text)
				width += c.Width
			}
			if row.name == "Hebrew points" { // the order of marks is the text's own
				got[1], row.clusters[1] = sorted(got[1]), sorted(row.clusters[1])
			}
			if diff := cmp.Diff(row.clusters, got); diff != "" {
				t.Errorf("clusters (-want +got):\n%s", diff)
			}
			if width != line.Pieces[0].Width || width == 0 || len(line.Pieces[0].Outline) == 0 {
				t.Errorf("clusters are %d wide, the piece %d, outline of %d steps", width, line.Pieces[0].Width, len(line.Pieces[0].Outline))
			}
		})
	}
}

func sorted(s string) string {
	runes := []rune(s)
	slices.Sort(runes)
	return string(runes)
}

// Goal: bold text is drawn bold, by the font or by a thicker outline.
func TestBold(t *testing.T) {
	s := open(t)
	if p := s.Line("دعم", Bold, latin).Pieces[0]; p.Embolden {
		t.Error("Noto Sans Arabic has a bold font")
	}
	if p := s.Line("助手", Bold, latin).Pieces[0]; !p.Embolden {
		t.Error("no bold font of Debian's small packages has Chinese characters")
	}
}

func TestBreaks(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"客户支持、部", "客|户|支|持、|部|"},
		{"ที่ปรึกษาเรื่องสัญญา", "ที่ปรึกษา|เรื่องสัญญา|"},
		{"ग्राहक सेवा", "ग्राहक |सेवा|"},
	} {
		got := row.text
		breaks := Breaks(row.text)
		slices.Sort(breaks)
		for _, at := range slices.Backward(breaks) {
			got = got[:at] + "|" + got[at:]
		}
		if got != row.want {
			t.Errorf("got %s, want %s", got, row.want)
		}
	}
}

// FuzzLine: every character is in one cluster and shown there, or told; the
// line is the same each time.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", " ", "\U0010FFFD", "\u0301", "\u200D\u200D", "a\u202Eb\u2066ע\u2069", "👩‍💻🏽", "ﷺ\u0651", "()\\", "客户 a", "क्षेत्र", "(לילה) GPT-4, 2026-10", "می\u200cخواهم ١٢٣", "ก็ที่ปู่น้ำ", "e\u0301\u0302"} {
		f.Add(s)
	}
	s := open(f)
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		line := s.Line(text, Bold, latin)
		shown := make([]bool, len(text))
		for _, p := range line.Pieces {
			for _, c := range p.Clusters {
				for at := c.Start; at < c.End; at++ {
					if shown[at] {
						t.Fatalf("%q: byte %d is shown twice", text, at)
					}
					shown[at] = true
				}
				if told := strings.Contains(c.Text, "[U+"); !told && visible(c.Text) != visible(text[c.Start:c.End]) {
					t.Errorf("%q: %q is shown as %q", text, text[c.Start:c.End], c.Text)
				}
			}
		}
		for at, r := range text {
			if !shown[at] && !Ignorable(r) {
				t.Errorf("%q: %U is in no cluster", text, r)
			}
		}
		if s.lines = nil; !cmp.Equal(line, s.Line(text, Bold, latin)) {
			t.Errorf("%q is set otherwise the second time", text)
		}
	})
}

// visible is the number of characters of a text that a reader sees.
func visible(text string) (n int) {
	for _, r := range text {
		if !Ignorable(r) {
			n++
		}
	}
	return n
}
