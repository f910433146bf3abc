package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf"
	"chargeback/config"
	"chargeback/transform/strictyaml"
)

// openFonts makes the settings' fonts and the system's ready to draw with.
func openFonts(cfg *config.Config, getenv func(string) string) (*pdf.Fonts, error) {
	files := make([]string, len(cfg.Invoices.Fonts))
	for i, font := range cfg.Invoices.Fonts {
		files[i] = cfg.Path(font)
	}
	fonts, err := pdf.OpenFonts(files, fontFolders(getenv))
	if err != nil {
		return nil, fmt.Errorf("invoices.fonts: %w; correct the path, or remove it", err)
	}
	return fonts, nil
}

// fontFolders are where Linux, macOS and Windows keep fonts; most of them are not there.
func fontFolders(getenv func(string) string) []string {
	folders := []string{"/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"}
	if home := getenv("HOME"); home != "" {
		folders = append(folders, filepath.Join(home, ".local/share/fonts"), filepath.Join(home, ".fonts"), filepath.Join(home, "Library/Fonts"))
	}
	if windows := getenv("WINDIR"); windows != "" {
		folders = append(folders, filepath.Join(windows, "Fonts"))
	}
	return folders
}

// checkFonts finds font files that are none.
func checkFonts(c *config.Config, fail Failf) {
	checkEachFont(c, fail, func(file string) error { _, err := pdf.OpenFonts([]string{file}, nil); return err })
}

// CheckOutlines finds font files that can't be drawn with. It reads all of them,
// so only runs ask it, and who checks the settings.
func CheckOutlines(c *config.Config, fail Failf) { checkEachFont(c, fail, pdf.CheckFont) }

func checkEachFont(c *config.Config, fail Failf, check func(file string) error) {
	for i, font := range c.Invoices.Fonts {
		if font == "" {
			continue // said already
		}
		if err := check(c.Path(font)); err != nil {
			fail(fmt.Sprintf("invoices.fonts[%d]", i), "%s; name a TrueType or OpenType file with outlines, or remove the item", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
}

// CheckNames finds names that documents print and that no font has, in the
// settings and in the directory.
func CheckNames(s Settings, getenv func(string) string) error {
	c := s.Config
	fonts, err := openFonts(c, getenv)
	if err != nil {
		return err
	}
	var mistakes []error
	for _, file := range []struct {
		path   string
		prints func(key string) bool
	}{{s.Path, printed}, {c.Path(c.Directory), func(string) bool { return true }}} {
		data, err := os.ReadFile(file.path)
		if err != nil {
			return err
		}
		for _, text := range strictyaml.Texts(data) {
			if missing := fonts.Missing(text.Value); file.prints(text.Path) && len(missing) > 0 {
				mistakes = append(mistakes, fmt.Errorf("%s:%d: %s: no font has %s of %q, so documents would print code points; install a font that has them (%s), or name its file in invoices.fonts",
					file.path, text.Line, text.Path, invoice.Characters(missing), text.Value, packages))
			}
		}
	}
	return errors.Join(mistakes...)
}

// packages are Debian's with fonts for most of the world.
const packages = "Debian has fonts-noto-core, fonts-noto-cjk and fonts-symbola"

// printed says whether documents print what stands at a key of the settings.
func printed(key string) bool {
	for _, part := range []string{"company.name", "invoices.issuer.", "shared_costs[", "waivers[", "budgets["} {
		if strings.HasPrefix(key, part) && !strings.HasSuffix(key, ".channel") {
			return true
		}
	}
	return false
}
