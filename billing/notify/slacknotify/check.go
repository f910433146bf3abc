package slacknotify

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"chargeback/billing/notify"
)

// Check asks Slack whose token this is and whether the app may post in the
// channels. It posts nothing. err joins one error for each that is wrong.
func (s *Sender) Check(ctx context.Context, channels []string) (who string, err error) {
	is, err := s.client.AuthTestContext(ctx)
	if err != nil {
		return "", explain("check the token", "-", err)
	}
	who = fmt.Sprintf("%s in workspace %s", is.User, is.Team)
	var wrong []error
	for _, channel := range channels {
		err := s.checkChannel(ctx, channel)
		wrong = append(wrong, err)
		var e *notify.SendError
		if errors.As(err, &e) && (e.Hung || e.RetryAfter > 0) {
			break // nor will it answer for the others
		}
	}
	return who, errors.Join(wrong...)
}

func (s *Sender) checkChannel(ctx context.Context, channel string) error {
	id, err := s.resolve(ctx, channel)
	if err != nil {
		return err
	}
	info, err := s.client.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return explain("look up channel", channel, err)
	}
	if info.IsArchived {
		return &notify.SendError{Outcome: notify.Refused, Reason: "look up channel " + channel + ": it is archived", Fix: fixChannel}
	}
	if !info.IsMember {
		return &notify.SendError{Outcome: notify.Refused, Reason: "look up channel " + channel + ": the app is not in it", Fix: fixChannel}
	}
	return nil
}
