package pdf

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf/typeset"
	"chargeback/transform/money"
)

// fontFolders is where Debian's packages fonts-noto-core, fonts-droid-fallback
// and fonts-nanum, which .ci/tools installs, lay their fonts.
var fontFolders = []string{"/usr/share/fonts"}

// debianFonts opens the fonts that these tests need; .ci/unit leaves the tests
// out, and says so, where "DroidSansFallbackFull.ttf", "NanumGothic.ttf" or
// "NotoSansArabic-Regular.ttf" is missing.
func debianFonts(t testing.TB, own ...string) *Fonts {
	t.Helper()
	for i := range own {
		own[i] = filepath.Join("/usr/share/fonts/truetype/noto", own[i])
	}
	fonts, err := OpenFonts(own, fontFolders)
	if err != nil {
		t.Fatal(err)
	}
	if missing := fonts.Missing("客고アשعกक"); len(missing) > 0 {
		t.Fatalf("no font has %s; run make tools", invoice.Characters(missing))
	}
	return fonts
}

// names are of one script each, and as they come. None needs a font beyond the
// three packages. Where both directions meet, visual is what stands from left to right.
var names = []struct{ script, name, visual string }{
	{"Chinese", "客户支持部、质量保证与外勤服务（华南）第3组", ""},
	{"Chinese among Polish", "Łódź-助手 (测试)", ""},
	{"Japanese", "顧客サポート「夜間」エスカレーション担当エージェント、第二段階", ""},
	{"Korean", "고객지원팀 상담 도우미 2026", ""},
	{"Arabic", "وكيل دعم العملاء للعمل الليلي", ""},
	{"Arabic with figures", "فريق ١٢٣ و GPT", "GPT و ١٢٣ قيرف"},
	{"Persian", "دستیار می\u200Cخواهم پشتیبانی", ""},
	{"Hebrew", "סוכן תמיכה בלקוחות", ""},
	{"Hebrew with figures", "סוכן (לילה), שלב 2", "2 בלש ,(הליל) ןכוס"},
	{"Hebrew with points", "שָׁלוֹם עֲלֵיכֶם", ""},
	{"Hebrew with English", "סוכן GPT 4 של תמיכה", "הכימת לש GPT 4 ןכוס"},
	{"Thai", "ผู้ช่วยฝ่ายบริการลูกค้าที่ปรึกษาเรื่องสัญญา", ""},
	{"Devanagari", "ग्राहक सेवा क्षेत्र प्रतिनिधि – हिन्दी सहायक, कार्यालय", ""},
	{"marks that have no letter of their own", "x\u0302 ẹ\u0300kọ́", ""},
	{"beyond the first plane", "𐎀𐎁 𐎂", ""},
}

// sampleScripts is a company with names in five scripts, and some more.
func sampleScripts() invoice.Input {
	in := sampleWarnings()
	in.Issuer.Name, in.Issuer.Approver, in.Issuer.Company = "プラットフォーム部", "فريق المنصة", "例示株式会社 – Example 한국"
	in.Party.Name, in.Party.Department, in.Party.Owner = names[0].name+" – Customer Support South", "ฝ่ายสนับสนุนลูกค้า", "दक्षिण भारत ग्राहक सहायता विभाग"
	for i, n := range names {
		in.Charges = append(in.Charges, invoice.Charge{AgentID: n.script, AgentName: n.name, Model: "model-" + n.name, Requests: 1_000 + int64(i), InputTokens: 50_000, OutputTokens: 4_000, LLM: money.MustParse("12.5"), Infra: money.MustParse("0.1")})
	}
	in.Charges = append(in.Charges, invoice.Charge{AgentID: "none", AgentName: "a\U0010FFFDb\u0378c", Model: "gpt", LLM: money.MustParse("1")})
	in.Shared[0].Name = "منصة البوابة المشتركة، والتخزين المؤقت، ومخزن السجلات في ثلاث مناطق، بما في ذلك السعة الاحتياطية ونوبات العمل لفريق المنصة"
	in.Notes.Waivers[0].By, in.Notes.Waivers[0].Reason = "مراقب 7", "3 requests of a preview model (מודל תצוגה 4.5); its price is announced for 2026-11."
	in.Notes.Budgets[0].Name = "תקציב תמיכה 2026-10"
	return in
}

// pageText is what pdftotext finds on the pages, without blanks and without the
// marks by which it keeps directions apart.
func pageText(t testing.TB, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "document.pdf")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("pdftotext", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return bare(string(text))
}

func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
}

// Goal: whoever reads a script reads the name on the page, and finds it.
// Method: pdftotext tells the text in the order of its places on the page, from
// the right where the script is; a name in the wrong order is not found.
func TestNamesInEveryScriptAreOnThePage(t *testing.T) {
	fonts := debianFonts(t)
	for _, row := range names {
		t.Run(row.script, func(t *testing.T) {
			if missing := fonts.Missing(row.name); len(missing) > 0 {
				t.Fatalf("no font has %s", invoice.Characters(missing))
			}
			visual := ""
			in := sampleEmpty()
			in.Party.Department = row.name
			in.Issuer.Company = row.name
			doc := build(t, in)
			file, err := fonts.Render(doc)
			if err != nil {
				t.Fatal(err)
			}
			text := pageText(t, file)
			for _, p := range fonts.set.Line(row.name, typeset.Regular, builtIn).Pieces {
				for _, c := range p.Clusters {
					visual += c.Text
				}
			}
			if row.visual != "" {
				if visual != row.visual {
					t.Errorf("%s stands as %s, want %s", row.name, visual, row.visual)
				}
				return // pdftotext tells the parts from the left, as the whole page
			}
			if want := bare(row.name); !strings.Contains(text, want) || strings.Contains(text, "??") || strings.Contains(text, "[U+") {
				t.Errorf("%s (%q) is not in %s", want, want, text)
			}
		})
	}
}

// Goal: a document in all scripts is valid, can be looked at (-samples), and
// says what no font has, on the page and to the caller.
func TestSampleScripts(t *testing.T) {
	fonts := debianFonts(t)
	doc := build(t, sampleScripts())
	used, unshown := fonts.Needs(doc)
	if unshown != "\u0378\U0010FFFD" || len(used) < 6 {
		t.Errorf("characters without a font are %q, fonts %v", unshown, used)
	}
	file, err := fonts.Render(doc)
	if err != nil {
		t.Fatal(err)
	}
	if *samplesDir != "" {
		if err := os.WriteFile(filepath.Join(*samplesDir, "scripts.pdf"), file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := pageText(t, file)
	for _, want := range []string{"a[U+10FFFD]b[U+0378]c", "Codepointsinbrackets", "2026-10" + bare("תקציב תמיכה"), "isannouncedfor2026-11.", ",departmentSupport"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if strings.Contains(text, "??") {
		t.Errorf("question marks in %s", text)
	}
	checkAttachment(t, file, doc)
}

// Goal: the same fonts give the same bytes, in parallel and in another process's order.
func TestScriptsRepeat(t *testing.T) {
	doc := build(t, sampleScripts())
	want, err := debianFonts(t).Render(doc)
	if err != nil {
		t.Fatal(err)
	}
	other := build(t, func() invoice.Input {
		in := sampleScripts()
		slices.Reverse(in.Charges)
		in.Charges = in.Charges[:6]
		return in
	}())
	fonts := debianFonts(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			if i%2 == 1 {
				if _, err := fonts.Render(other); err != nil {
					t.Error(err)
				}
			}
			if got, err := fonts.Render(doc); err != nil || !bytes.Equal(got, want) {
				t.Errorf("file %d differs (%v)", i, err)
			}
		})
	}
	all.Wait()
}

// Goal: fonts that come to a machine after a close change no byte of its
// documents; fonts that leave it are named.
func TestClosedDocumentKeepsItsFonts(t *testing.T) {
	in := sampleEmpty()
	in.Party.Name = "وكيل دعم العملاء \U0010FFFD"
	doc := build(t, in)
	before := debianFonts(t)
	doc.Output.Fonts, doc.Output.Unshown = before.Needs(doc)
	want, err := before.Render(doc)
	if err != nil {
		t.Fatal(err)
	}
	after := debianFonts(t, "NotoNaskhArabic-Regular.ttf", "NotoNaskhArabic-Bold.ttf")
	if got, err := after.Render(doc); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file differs with another font that goes first (%v)", err)
	}
	if lost := after.Lost(doc); len(lost) > 0 {
		t.Errorf("lost %v", lost)
	}
	open := doc
	open.Output = invoice.Output{}
	if got, err := after.Render(open); err != nil || bytes.Equal(got, want) {
		t.Errorf("the font that goes first is not used for an open document (%v)", err)
	}
	none, err := OpenFonts(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lost := none.Lost(doc); len(lost) != 2 || !strings.HasPrefix(lost[0], "NotoSansArabic-Bold.ttf (sha256 ") {
		t.Errorf("lost %q", lost)
	}
	if _, err := none.Render(doc); err != nil {
		t.Error(err)
	}
	in.Party.Name = "助手"
	printed := build(t, in)
	printed.Output.Fonts, printed.Output.Unshown = none.Needs(printed)
	want, err = none.Render(printed)
	if err != nil || printed.Output.Unshown != "助手" {
		t.Fatalf("%v, %q", err, printed.Output.Unshown)
	}
	if got, err := before.Render(printed); err != nil || !bytes.Equal(got, want) {
		t.Errorf("a document that was closed without a font changes once there is one (%v)", err)
	}
}

func TestFontsThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.ttf")
	if err := os.WriteFile(broken, []byte("\x00\x01\x00\x00 no font"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.ttf"), "no such file"},
		{"folder", dir, "is not a file"},
		{"no font", broken, "no font in TrueType or OpenType format"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := CheckFont(row.path); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("CheckFont: %v", err)
			}
			if _, err := OpenFonts([]string{row.path}, nil); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("OpenFonts: %v", err)
			}
		})
	}
	if err := CheckFont("/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf"); err != nil {
		t.Error(err)
	}
}

// Goal: lines of any script fit, lose nothing but blanks, and never part a
// letter from its marks.
func TestWrapScripts(t *testing.T) {
	c := newCanvas(debianFonts(t).set, false)
	rapid.Check(t, func(t *rapid.T) {
		text := clean(strings.Join(rapid.SliceOfN(rapid.SampledFrom(append(strings.Fields("a (b) GPT-4, 2026-10 x\u0302 🤖 \U0010FFFD"), allNames()...)), 1, 12).Draw(t, "words"), " "))
		w := length(rapid.IntRange(int(8*mm), int(80*mm)).Draw(t, "width"))
		lines := c.wrap(body(), text, w, 1000)
		for _, l := range lines {
			if got := c.width(body(), l); got > w && len(c.cells(body(), l)) > 1 {
				t.Errorf("line %q is %d wide, more than %d", l, got, w)
			}
			if first, _ := strings.CutPrefix(l, string(markRTL)); unicode.Is(unicode.M, []rune(strings.TrimPrefix(first, string(markLTR)))[0]) {
				t.Errorf("line %q begins with a mark", l)
			}
		}
		if got := bare(strings.Join(lines, "")); got != bare(text) {
			t.Errorf("got %q from %q", got, text)
		}
		cut := c.wrap(body(), text, w, 1)
		if len(lines) > 1 && (len(cut) != 1 || !strings.HasSuffix(cut[0], "…")) {
			t.Errorf("cut to %q", cut)
		}
	})
}

func allNames() (words []string) {
	for _, n := range names {
		words = append(words, strings.Fields(n.name)...)
	}
	return words
}

// Goal: whatever the text, a page comes of it, with no question mark.
// Method: draw arbitrary texts into one file, which is closed at the end.
func TestAnyTextIsDrawn(t *testing.T) {
	c := newCanvas(debianFonts(t).set, false)
	rapid.Check(t, func(t *rapid.T) {
		s := strings.ReplaceAll(rapid.OneOf(
			rapid.String(),
			rapid.StringOfN(rapid.RuneFrom([]rune("a(1) \u0301\u200D\u202Eעع中한ก\u0E33क\u094D\u093F🤖𐎀\U0010FFFD\uE000\u2068\u2069")), 0, 30, -1),
		).Draw(t, "text"), "?", "!")
		c.addPage()
		for _, st := range []style{body(), body().bold()} {
			c.text(0, 0, 10*mm, left, st, s)
			c.fitted(0, 0, 10*mm, right, st, s)
			c.lines(0, 0, 10*mm, st, c.wrap(st, s, 20*mm, 3))
		}
	})
	file, err := c.bytes()
	if err != nil {
		t.Fatal(err)
	}
	if drawn := plainText(pageTexts(file)); strings.Contains(drawn, "?") {
		t.Errorf("a question mark is in %q", drawn)
	}
}
