package slacknotify

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"chargeback/billing/notify"
)

const (
	// historyPage and channelPage are how many entries one request asks for.
	historyPage = 200
	channelPage = 1000
	// pagesMax bounds a lookup; a channel with more messages than that since
	// the alert is not searched further.
	pagesMax = 50
)

// channelID is what Slack's own ids of channels look like.
var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{8,}$`)

// Find looks for the message in its channel's history by the metadata that
// Send attaches. A message that somebody deleted is not found.
func (s *Sender) Find(ctx context.Context, m notify.Message) (ref string, found bool, err error) {
	id, err := s.resolve(ctx, m.Channel)
	if err != nil {
		return "", false, err
	}
	params := &slack.GetConversationHistoryParameters{
		ChannelID: id, Oldest: notBefore(m.Alert.AsOf), Limit: historyPage, IncludeAllMetadata: true,
	}
	for range pagesMax {
		history, err := s.client.GetConversationHistoryContext(ctx, params)
		if err != nil {
			return "", false, explain("look up alert", m.Channel, err)
		}
		for _, posted := range history.Messages {
			if posted.Metadata.EventType == eventType && posted.Metadata.EventPayload[alertIDField] == m.ID {
				return reference(id, posted.Timestamp), true, nil
			}
		}
		params.Cursor = history.ResponseMetaData.NextCursor
		if params.Cursor == "" {
			return "", false, nil
		}
	}
	return "", false, tooMany("the channel has too many messages to look through")
}

// resolve gives the id of a channel: the history is asked for by id only.
func (s *Sender) resolve(ctx context.Context, channel string) (string, error) {
	if channelID.MatchString(channel) {
		return channel, nil
	}
	name := strings.TrimPrefix(channel, "#")
	if id, known := s.channelIDs[name]; known {
		return id, nil
	}
	params := &slack.GetConversationsParameters{
		Types: []string{"public_channel", "private_channel"}, ExcludeArchived: true, Limit: channelPage,
	}
	for range pagesMax {
		channels, cursor, err := s.client.GetConversationsContext(ctx, params)
		if err != nil {
			return "", explain("look up channel", channel, err)
		}
		for _, c := range channels {
			s.channelIDs[c.Name] = c.ID
		}
		if id, known := s.channelIDs[name]; known {
			return id, nil
		}
		params.Cursor = cursor
		if cursor == "" {
			return "", &notify.SendError{Outcome: notify.Refused, Reason: "look up channel " + channel + ": there is none that the app can see", Fix: fixChannel}
		}
	}
	return "", tooMany("the workspace has too many channels to look through")
}

// notBefore is a Slack timestamp before which an alert about asOf cannot have
// been posted, with a day to spare for time zones; empty where asOf is no date.
func notBefore(asOf string) string {
	day, err := time.Parse(time.DateOnly, asOf)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(day.AddDate(0, 0, -1).Unix(), 10)
}

func tooMany(reason string) error {
	return &notify.SendError{Outcome: notify.Refused, Reason: "look up alert: " + reason}
}
