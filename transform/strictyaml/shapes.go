package strictyaml

import "regexp"

// IsAddress says whether text is the e-mail address of one person: no name or
// brackets around it, no list.
func IsAddress(text string) bool { return address.MatchString(text) }

var address = regexp.MustCompile(`^[^@\s<>()\[\],;:"\\]+@[^@\s<>()\[\],;:"\\./]+(\.[^@\s<>()\[\],;:"\\./]+)*$`)

// LooksLikeToken says whether text holds what looks like a token of Slack.
func LooksLikeToken(text string) bool { return slackToken.MatchString(text) }

// HideSecrets writes *** in place of what text holds and nobody should see: tokens
// of Slack, the address of a webhook behind its host, and of other addresses the
// user's name and the query. Every message about a file goes through it, because
// anything can be pasted into the wrong place.
func HideSecrets(text string) string {
	text = slackToken.ReplaceAllString(text, "***")
	text = webhook.ReplaceAllString(text, "$1***")
	text = userInfo.ReplaceAllString(text, "$1***@")
	return query.ReplaceAllString(text, "$1?***")
}

// Paths that were joined have one slash where an address has two.
var (
	slackToken = regexp.MustCompile(`xox[a-z]-[^\s"]*|xapp-[^\s"]*`)
	webhook    = regexp.MustCompile(`(?i)(https?:/+(?:[^\s"/]*hooks[^\s"/]*/|[^\s"?]*webhooks?[^\s"/?]*/))[^\s"]*`)
	userInfo   = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*:/+)[^\s"/?#@]*@`)
	query      = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*:/+[^\s"?]*)\?[^\s"]*`)
)
