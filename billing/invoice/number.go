package invoice

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

const (
	numberPrefixInvoice   = "CB-"
	numberPrefixStatement = "SB-"
)

// Number is the number of an invoice: CB-2026-10-CC1234-r0 for month 2026-10,
// cost centre CC-1234, revision 0. A re-run asks for the same number, and no
// two cost centres ever share one.
//
// A code that is spelt in the usual way shows without its hyphen: capitals, a
// hyphen and digits (CC-1234), digits alone (00420), capitals alone (SALES),
// or a mixture that does not read as a code without its hyphen (4711A). Every
// other code (CC1234, cc-1234, CC 1234) keeps its letters and digits as
// capitals and gets the first 8 hex digits of its SHA-256 behind them:
// CB-2026-10-CC1234-72305290-r0.
func Number(month, code string, revision int) string {
	return documentNumber(numberPrefixInvoice, month, code, revision)
}

// StatementNumber is Number for a showback statement: SB-2026-10-CC1234-r0.
func StatementNumber(month, code string, revision int) string {
	return documentNumber(numberPrefixStatement, month, code, revision)
}

func documentNumber(prefix, month, code string, revision int) string {
	return prefix + month + "-" + codeKey(code) + "-r" + strconv.Itoa(revision)
}

var (
	codeHyphenated = regexp.MustCompile(`^[A-Z]+-[0-9]+$`)
	codeWithout    = regexp.MustCompile(`^[A-Z]+[0-9]+$`) // what a hyphenated code collapses to
	codePlain      = regexp.MustCompile(`^[A-Z0-9]+$`)
)

// codeKey makes a cost-centre code safe for file names, external ids and mail
// headers, also where those ignore case. It is injective but for collisions of
// 32 bits of SHA-256 between codes with the same letters and digits.
func codeKey(code string) string {
	if codeHyphenated.MatchString(code) {
		return strings.Replace(code, "-", "", 1)
	}
	if codePlain.MatchString(code) && !codeWithout.MatchString(code) {
		return code
	}
	kept := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return -1
	}, code)
	if kept == "" {
		kept = "X"
	}
	sum := sha256.Sum256([]byte(code))
	return kept + "-" + hex.EncodeToString(sum[:4])
}

// ModeOf says by its number how a document was issued: "" for no number.
func ModeOf(number string) Mode {
	switch {
	case strings.HasPrefix(number, numberPrefixInvoice):
		return Chargeback
	case strings.HasPrefix(number, numberPrefixStatement):
		return Showback
	}
	return ""
}
