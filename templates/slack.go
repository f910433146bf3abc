package templates

import (
	"strings"
	"unicode"
)

// Slack's limits, in characters.
const (
	SlackHeaderMax  = 150
	SlackSectionMax = 3000
	SlackContextMax = 2000
	// SlackTextMax is the recommended, not the largest, size of a fallback text.
	SlackTextMax = 4000
)

// SlackText is one alert in the parts that a Slack message is made of. Every
// part is escaped and within Slack's limits.
type SlackText struct {
	Fallback string   // for notifications and screen readers; mrkdwn
	Header   string   // plain_text
	Sections []string // mrkdwn, at least one
	Context  string   // mrkdwn
}

// slackEntities are the three characters that Slack reads as control
// characters in any text.
var slackEntities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// SlackPlain escapes data for a plain_text object such as a header.
func SlackPlain(data string) string { return slackEntities.Replace(CleanLine(data)) }

// SlackEscape escapes data for a mrkdwn text, where it shows as it is: no
// mention, link, bold, italic, struck-out or code text can come out of it.
// mrkdwn has no escape for its formatting characters, so they are replaced by
// look-alikes; an underscore, star or tilde between two letters or digits
// formats nothing and stays, which keeps ids such as support_bot copyable.
// An emoji code such as :tada: stays as well; it can do no harm.
func SlackEscape(data string) string {
	runes := []rune(CleanLine(data))
	var b strings.Builder
	for i, r := range runes {
		if insideWord(runes, i) && r != '`' {
			b.WriteRune(r)
			continue
		}
		b.WriteRune(slackLookAlike(r))
	}
	return slackEntities.Replace(b.String())
}

// slackLookAlike gives a formatting character's harmless twin, any other
// character as it is.
func slackLookAlike(r rune) rune {
	switch r {
	case '*':
		return '∗'
	case '_':
		return 'ˍ'
	case '~':
		return '∼'
	case '`':
		return 'ˋ'
	}
	return r
}

// insideWord says whether a letter or digit stands on both sides of runes[i].
func insideWord(runes []rune, i int) bool {
	return i > 0 && i+1 < len(runes) && isWord(runes[i-1]) && isWord(runes[i+1])
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// SlackAlert writes an alert for Slack.
func SlackAlert(a AlertView) SlackText {
	marked := a.withData(SlackEscape)
	plain := a.withData(SlackPlain)
	bold := func(s string) string { return "*" + s + "*" }
	unmarked := func(s string) string { return s }

	sections := []string{strings.Join(alertLead(marked, bold), "\n")}
	if lines := alertDrivers(marked); len(lines) > 0 {
		sections = append(sections, bold(alertDriversTitle)+"\n• "+strings.Join(lines, "\n• "))
	}
	if held := alertHeld(marked); held != "" {
		sections = append(sections, held+" `"+alertHeldCommand+"` says why.")
	}
	step := alertNext(marked)
	sections = append(sections, bold("Next:")+" `"+step.command+"` shows "+step.shows+". "+step.advice)
	for i := range sections {
		sections[i] = Truncate(sections[i], SlackSectionMax)
	}
	fallback := alertTitle(marked) + "\n" + strings.Join(alertLead(marked, unmarked), "\n")
	return SlackText{
		Fallback: Truncate(fallback, SlackTextMax),
		Header:   Truncate(alertTitle(plain), SlackHeaderMax),
		Sections: sections,
		Context:  Truncate(alertFoot(marked, " · "), SlackContextMax),
	}
}
