package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// slow is a medium that takes its time over each message, and asks to wait.
type slow struct {
	takes   time.Duration
	asks    []time.Duration // one a call, until they are used up; 0: it takes the message
	calls   int
	arrived []string
}

func (s *slow) Send(ctx context.Context, m Message) (string, error) {
	s.calls++
	if err := realTime.Wait(ctx, s.takes); err != nil {
		return "", err
	}
	if len(s.asks) > 0 {
		ask := s.asks[0]
		s.asks = s.asks[1:]
		if ask > 0 {
			return "", &SendError{Outcome: NotSent, Reason: "busy", RetryAfter: ask}
		}
	}
	s.arrived = append(s.arrived, m.ID)
	return "ref", nil
}

func (s *slow) Find(ctx context.Context, _ Message) (string, bool, error) {
	s.calls++
	return "", false, realTime.Wait(ctx, s.takes)
}

// Goal: whatever a medium asks for and however slow it is, a run's two walks take
// two minutes and some seconds at the most, and no message is lost.
// Method: a fake clock; ten messages; walk twice, as a run does.
func TestRunIsBounded(t *testing.T) {
	const second = time.Second
	endless := func(ask time.Duration) []time.Duration { return slices.Repeat([]time.Duration{ask}, 1000) }
	for _, test := range []struct {
		name    string
		medium  slow
		took    time.Duration
		calls   int
		arrived int
		reason  string // of the last message
	}{
		{name: "all is well", medium: slow{takes: second}, took: 10 * second, calls: 10, arrived: 10},
		{name: "nothing is asked for and nothing waits", medium: slow{}, calls: 10, arrived: 10},
		{name: "one short wait", medium: slow{asks: []time.Duration{0, 30 * second}}, took: 30 * second, calls: 11, arrived: 10},
		{name: "an hour", medium: slow{asks: endless(time.Hour)}, calls: 1,
			reason: "not tried: the receiver asked to wait 1h0m0s, longer than a run waits; the next run tries again"},
		{name: "half a minute, for ever", medium: slow{asks: endless(30 * second)}, took: 90 * second, calls: 4,
			reason: "not tried: the receiver was asked 4 times and each time asked to wait, at last 30s; the next run tries again"},
		{name: "a second, for ever", medium: slow{asks: endless(second)}, took: 3 * second, calls: 4,
			reason: "not tried: the receiver was asked 4 times and each time asked to wait, at last 1s; the next run tries again"},
		{name: "less than a second is one", medium: slow{asks: []time.Duration{1}}, took: second, calls: 11, arrived: 10},
		{name: "a wait that the messages before leave no time for", medium: slow{takes: 10 * second, asks: []time.Duration{0, 0, 0, 0, 0, 60 * second}}, took: 60 * second, calls: 6, arrived: 5,
			reason: "not tried: the receiver asked to wait 1m0s, longer than a run waits; the next run tries again"},
		{name: "it hangs", medium: slow{takes: time.Hour}, took: 20 * second, calls: 1,
			reason: "not tried: the receiver did not answer in time; the next run tries again"},
		{name: "it is slow, but answers", medium: slow{takes: 19 * second}, took: 120 * second, calls: 7, arrived: 6,
			reason: "not tried: the receiver did not answer in time; the next run tries again"},
		{name: "the time is used up to the second", medium: slow{takes: 15 * second}, took: 120 * second, calls: 8, arrived: 8,
			reason: "not tried: delivering messages has taken 2m0s, which is as long as a run has for it; the next run tries again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outbox := newOutbox()
				for i := range 10 {
					outbox.messages = append(outbox.messages, Message{ID: fmt.Sprintf("m%d", i), Channel: "#costs", State: Pending})
				}
				medium, began := test.medium, time.Now()
				run := NewCourier(findless{&medium}, realTime)
				first, err := run.Deliver(t.Context(), outbox)
				if err != nil {
					t.Fatal(err)
				}
				second, err := run.Deliver(t.Context(), outbox)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != test.took || medium.calls != test.calls || len(medium.arrived) != test.arrived {
					t.Errorf("%s, %d calls, %d arrived; want %s, %d, %d", took, medium.calls, len(medium.arrived), test.took, test.calls, test.arrived)
				}
				if left := len(second.Undelivered()); left != 10-test.arrived || len(first.Sent)+len(second.Sent) != test.arrived {
					t.Errorf("%d left over, %v and %v sent", left, first.Sent, second.Sent)
				}
				if reason := outbox.reasons["m9"]; reason != test.reason {
					t.Errorf("reason of the last: %q, want %q", reason, test.reason)
				}

				medium = slow{} // the next run, with a medium that is well
				if _, err := walkOnce(t.Context(), outbox, findless{&medium}); err != nil {
					t.Fatal(err)
				}
				for _, m := range outbox.messages {
					if m.State != Sent {
						t.Errorf("%s is %s after the next run", m.ID, m.State)
					}
				}
			})
		})
	}
}

// findless hides that a medium can look up.
type findless struct{ Sender }

// Goal: lookups are bounded as sends are, and a message whose fate is unknown stays so.
// Method: two that were cut off and one that is new; a medium that hangs.
func TestLookupIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := newOutbox("a", "b", "c")
		outbox.get("a").State, outbox.get("b").State = Sending, Sending
		began := time.Now()
		got, err := walkOnce(t.Context(), outbox, &slow{takes: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		rests := "not tried: the receiver did not answer in time; the next run tries again"
		want := Result{
			Unsure:  []Problem{{"a", "#costs", "context deadline exceeded"}, {"b", "#costs", rests}},
			Waiting: []Problem{{"c", "#costs", rests}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != runLimit || outbox.states() != "a:sending:0 b:sending:0 c:pending:0 " {
			t.Errorf("%s, states %s", took, outbox.states())
		}
	})
}

// busyFinder asks to wait once before it looks up.
type busyFinder struct {
	findable
	asked bool
}

func (b *busyFinder) Find(ctx context.Context, m Message) (string, bool, error) {
	if !b.asked {
		b.asked = true
		return "", false, &SendError{Outcome: NotSent, Reason: "busy", RetryAfter: 5 * time.Second}
	}
	return b.findable.Find(ctx, m)
}

// Goal: a lookup that is to wait a little is made in the same run.
func TestLookupWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox, medium := newOutbox("a"), &busyFinder{}
		outbox.get("a").State = Sending
		medium.posted = []string{"a"}
		got, err := walkOnce(t.Context(), outbox, medium)
		if err != nil || !slices.Equal(got.Found, []string{"a"}) {
			t.Errorf("result %+v, %v", got, err)
		}
	})
}

// Goal: a signal ends a wait, and the message is one that was not sent.
func TestWaitIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		outbox := newOutbox("a", "b")
		got, err := walkOnce(ctx, outbox, findless{&slow{asks: []time.Duration{time.Minute}}})
		if !errors.Is(err, context.DeadlineExceeded) || len(got.Waiting) != 2 || outbox.states() != "a:pending:1 b:pending:0 " {
			t.Errorf("%+v, %v, states %s", got, err, outbox.states())
		}
	})
}

// Goal: a message follows a corrected channel, and is looked up where it was sent.
// Method: one that was refused, one that was cut off, both to be sent elsewhere now.
func TestChannelIsCorrected(t *testing.T) {
	outbox, medium := newOutbox("a", "b"), &recording{}
	for i := range outbox.messages {
		outbox.messages[i].Channel, outbox.messages[i].Earlier = "#right", "#wrong"
	}
	outbox.get("b").State = Sending
	if _, err := walkOnce(t.Context(), outbox, medium); err != nil {
		t.Fatal(err)
	}
	if did := strings.Join(medium.did, ", "); did != "find b in #wrong, send a to #right, send b to #right" {
		t.Error(did)
	}
}

type recording struct{ did []string }

func (r *recording) Send(_ context.Context, m Message) (string, error) {
	r.did = append(r.did, "send "+m.ID+" to "+m.Channel)
	return "", nil
}

func (r *recording) Find(_ context.Context, m Message) (string, bool, error) {
	r.did = append(r.did, "find "+m.ID+" in "+m.Channel)
	return "", false, nil
}

// failing is a medium that takes each message and answers with an error.
type failing struct {
	err   error
	posts []string
}

func (f *failing) Send(_ context.Context, m Message) (string, error) {
	f.posts = append(f.posts, m.ID)
	return "", f.err
}

// Goal: a message that may have arrived and that nobody can look up is sent again
// once in all, and then waits for somebody, with a reason that says how.
// Method: a medium that takes each message and fails, five runs of two walks; in some
// it is busy instead, which is no try.
func TestSentTwiceAtMost(t *testing.T) {
	for _, down := range []bool{true, false} {
		outbox, medium := newOutbox("a"), &failing{}
		for run := range 5 {
			medium.err = &SendError{Outcome: Unknown, Reason: "HTTP status 504", Down: down}
			if run == 1 {
				medium.err = &SendError{Outcome: NotSent, Reason: "ratelimited"}
			}
			courier := NewCourier(medium, realTime)
			for range 2 {
				result, err := courier.Deliver(t.Context(), outbox)
				if err != nil || result.Delivered() {
					t.Fatalf("run %d: %+v, %v", run, result, err)
				}
			}
			if run == 0 && (len(medium.posts) != 1 || outbox.states() != "a:sending:1 ") {
				t.Errorf("after one run: posts %v, states %s", medium.posts, outbox.states())
			}
		}
		const want = "it may be there: nobody knows what became of two tries, and it can't be looked up; it is not sent again by itself; look into the channel, and if it is missing, \"chargeback alerts resend a\" sends it again"
		if len(medium.posts) != 4 || outbox.get("a").State != Resending || outbox.reasons["a"] != want {
			t.Errorf("posts %v (two of them refused as busy), states %s, reason %q", medium.posts, outbox.states(), outbox.reasons["a"])
		}

		found := &findable{} // a lookup that answers settles it
		found.posted = []string{"a"}
		if result, err := walkOnce(t.Context(), outbox, found); err != nil || !slices.Equal(result.Found, []string{"a"}) {
			t.Errorf("%+v, %v", result, err)
		}
	}
}

// Goal: a medium that failed rests for the run, also where it says for how long.
func TestFailingMediumRests(t *testing.T) {
	for _, test := range []struct {
		after  time.Duration
		reason string
	}{
		{0, "not tried: the receiver failed; the next run tries again"},
		{time.Second, "not tried: the receiver failed and asked to wait 1s; the next run tries again"},
		{time.Hour, "not tried: the receiver failed and asked to wait 1h0m0s; the next run tries again"},
	} {
		outbox, medium := newOutbox("a", "b"), &failing{err: &SendError{Outcome: Unknown, Reason: "HTTP status 503", Down: true, RetryAfter: test.after}}
		courier := NewCourier(medium, realTime)
		for range 2 {
			result, err := courier.Deliver(t.Context(), outbox)
			want := Result{Unsure: []Problem{{"a", "#costs", "HTTP status 503"}}, Waiting: []Problem{{"b", "#costs", test.reason}}}
			if diff := cmp.Diff(want, result); diff != "" || err != nil {
				t.Errorf("%v, result (-want +got):\n%s", err, diff)
			}
		}
		if len(medium.posts) != 1 || outbox.states() != "a:sending:1 b:pending:0 " || outbox.reasons["a"] != "HTTP status 503" {
			t.Errorf("posts %v, states %s, reasons %v", medium.posts, outbox.states(), outbox.reasons)
		}
	}
}

// Goal: what a lookup found absent waits again before the outbox is refreshed, and a
// lookup that fails on the medium's side keeps nothing else from being sent.
func TestAbsentWaitsAgain(t *testing.T) {
	outbox, medium := newOutbox("a", "b"), &findable{}
	outbox.get("b").State = Sending
	if _, err := walkOnce(t.Context(), outbox, medium); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(outbox.refreshed, []string{"a:pending:0 b:pending:0 "}) || outbox.states() != "a:sent:1 b:sent:1 " {
		t.Errorf("refreshed at %q, states %s", outbox.refreshed, outbox.states())
	}
	outbox, medium = newOutbox("a", "b"), &findable{findErr: &SendError{Outcome: Unknown, Reason: "HTTP status 500", Down: true}}
	outbox.get("b").State = Sending
	if _, err := walkOnce(t.Context(), outbox, medium); err != nil {
		t.Fatal(err)
	}
	if outbox.states() != "a:sent:1 b:sending:0 " || outbox.reasons["b"] != "HTTP status 500" {
		t.Errorf("states %s, reasons %v", outbox.states(), outbox.reasons)
	}
}
