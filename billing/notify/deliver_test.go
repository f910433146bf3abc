package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// memoryOutbox keeps messages as a store would.
type memoryOutbox struct {
	messages []Message
	refs     map[string]string
	reasons  map[string]string
	// refreshed are the states whenever it was refreshed
	refreshed []string
	errs      map[string]error // "MarkSent a": what the step fails with
}

func newOutbox(ids ...string) *memoryOutbox {
	o := &memoryOutbox{refs: map[string]string{}, reasons: map[string]string{}, errs: map[string]error{}}
	for _, id := range ids {
		o.messages = append(o.messages, Message{ID: id, Channel: "#costs", State: Pending})
	}
	return o
}

func (o *memoryOutbox) get(id string) *Message {
	return &o.messages[slices.IndexFunc(o.messages, func(m Message) bool { return m.ID == id })]
}

func (o *memoryOutbox) Pending(context.Context) ([]Message, error) {
	return slices.DeleteFunc(slices.Clone(o.messages), func(m Message) bool { return m.State == Sent }), o.errs["Pending"]
}

func (o *memoryOutbox) MarkSending(_ context.Context, id, channel string, state State) error {
	if err := o.errs["MarkSending "+id]; err != nil {
		return err
	}
	o.get(id).State, o.get(id).Channel = state, channel
	o.get(id).Attempts++
	return nil
}

func (o *memoryOutbox) Refresh(context.Context) error {
	o.refreshed = append(o.refreshed, o.states())
	return o.errs["Refresh"]
}

func (o *memoryOutbox) MarkSent(ctx context.Context, id, ref string) error {
	if err := errors.Join(ctx.Err(), o.errs["MarkSent "+id]); err != nil {
		return err
	}
	o.get(id).State, o.refs[id] = Sent, ref
	return nil
}

func (o *memoryOutbox) MarkWaiting(ctx context.Context, id string, state State, reason string) error {
	if err := errors.Join(ctx.Err(), o.errs["MarkWaiting "+id]); err != nil {
		return err
	}
	o.get(id).State, o.get(id).Reason, o.reasons[id] = state, reason, reason
	return nil
}

func (o *memoryOutbox) states() string {
	var s string
	for _, m := range o.messages {
		s += fmt.Sprintf("%s:%s:%d ", m.ID, m.State, m.Attempts)
	}
	return s
}

// realTime is the clock of the machine, or of a synctest bubble.
var realTime = Clock{Now: time.Now, Wait: func(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}}

// walkOnce delivers as a run does that walks the outbox once.
func walkOnce(ctx context.Context, outbox Outbox, sender Sender) (Result, error) {
	return NewCourier(sender, realTime).Deliver(ctx, outbox)
}

// channel is where messages arrive; it fails as told.
type channel struct {
	posted []string
	errs   map[string]error // by message ID
	accept map[string]bool  // post although errs has an error
}

func (c *channel) Send(_ context.Context, m Message) (string, error) {
	err := c.errs[m.ID]
	if err == nil || c.accept[m.ID] {
		c.posted = append(c.posted, m.ID)
	}
	return "ts-" + m.ID, err
}

// findable is a channel that can be looked through.
type findable struct {
	channel
	findErr error
}

func (c *findable) Find(_ context.Context, m Message) (string, bool, error) {
	return "found-" + m.ID, slices.Contains(c.posted, m.ID), c.findErr
}

// Goal: what one walk does with each kind of answer.
// Method: messages a, b and c; b is the one in trouble.
func TestDeliver(t *testing.T) {
	refused := &SendError{Outcome: Refused, Reason: "channel_not_found", Fix: "invite the app"}
	busy := &SendError{Outcome: NotSent, Reason: "ratelimited"}
	for _, test := range []struct {
		name       string
		sendErr    error
		wasSending bool
		arrived    bool
		findErr    error
		want       Result
		wantStates string
		wantPosted []string
	}{
		{name: "all is well",
			want: Result{Sent: []string{"a", "b", "c"}}, wantStates: "a:sent:1 b:sent:1 c:sent:1 ", wantPosted: []string{"a", "b", "c"}},
		{name: "refused", sendErr: refused,
			want:       Result{Sent: []string{"a", "c"}, Failed: []Problem{{"b", "#costs", "channel_not_found; invite the app"}}},
			wantStates: "a:sent:1 b:pending:1 c:sent:1 ", wantPosted: []string{"a", "c"}},
		{name: "not now", sendErr: fmt.Errorf("wrapped: %w", busy),
			want:       Result{Sent: []string{"a", "c"}, Waiting: []Problem{{"b", "#costs", "wrapped: ratelimited"}}},
			wantStates: "a:sent:1 b:pending:1 c:sent:1 ", wantPosted: []string{"a", "c"}},
		{name: "no idea", sendErr: errors.New("connection reset"),
			want:       Result{Sent: []string{"a", "c"}, Unsure: []Problem{{"b", "#costs", "connection reset"}}},
			wantStates: "a:sent:1 b:sending:1 c:sent:1 ", wantPosted: []string{"a", "c"}},
		{name: "cut off after it arrived", wasSending: true, arrived: true,
			want:       Result{Sent: []string{"a", "c"}, Found: []string{"b"}},
			wantStates: "a:sent:1 b:sent:1 c:sent:1 ", wantPosted: []string{"b", "a", "c"}},
		{name: "cut off before it arrived", wasSending: true,
			want:       Result{Sent: []string{"a", "b", "c"}},
			wantStates: "a:sent:1 b:sent:2 c:sent:1 ", wantPosted: []string{"a", "b", "c"}},
		{name: "cut off and the lookup fails this time", wasSending: true, arrived: true, findErr: busy,
			want:       Result{Sent: []string{"a", "c"}, Unsure: []Problem{{"b", "#costs", "ratelimited"}}},
			wantStates: "a:sent:1 b:sending:1 c:sent:1 ", wantPosted: []string{"b", "a", "c"}},
		{name: "cut off and lookups are refused for good", wasSending: true, arrived: true, findErr: refused,
			want:       Result{Sent: []string{"a", "c"}, Resent: []string{"b"}},
			wantStates: "a:sent:1 b:sent:2 c:sent:1 ", wantPosted: []string{"b", "a", "b", "c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			outbox := newOutbox("a", "b", "c")
			sender := &findable{findErr: test.findErr}
			sender.errs = map[string]error{"b": test.sendErr}
			if test.wasSending {
				outbox.get("b").State, outbox.get("b").Attempts = Sending, 1
			}
			if test.arrived {
				sender.posted = []string{"b"}
			}
			got, err := walkOnce(t.Context(), outbox, sender)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.wantPosted, sender.posted); diff != "" {
				t.Errorf("posted (-want +got):\n%s", diff)
			}
			if got := outbox.states(); got != test.wantStates {
				t.Errorf("states = %s, want %s", got, test.wantStates)
			}
			if want := len(test.want.Waiting)+len(test.want.Unsure)+len(test.want.Failed) == 0; got.Delivered() != want {
				t.Errorf("Delivered() = %v", got.Delivered())
			}
		})
	}
}

// Goal: references are kept, of sent and of found messages.
// Method: one walk that sends a and finds b.
func TestDeliverKeepsReferences(t *testing.T) {
	outbox, sender := newOutbox("a", "b"), &findable{}
	outbox.get("b").State = Sending
	sender.posted = []string{"b"}
	if _, err := walkOnce(t.Context(), outbox, sender); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "ts-a", "b": "found-b"}, outbox.refs); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestDeliverOutboxErrors(t *testing.T) {
	disk := errors.New("disk full")
	for _, test := range []struct {
		name, step string
		sendErr    error
		want       Result
		wantErr    string
		wantPosted []string
	}{
		{name: "the outbox can't be read", step: "Pending", wantErr: "read alert outbox: disk full"},
		{name: "sending can't be recorded, so nothing is sent", step: "MarkSending a",
			want:       Result{Sent: []string{"b"}, Waiting: []Problem{{"a", "#costs", "disk full"}}},
			wantErr:    "mark alert a as being sent: disk full; the next run sends it",
			wantPosted: []string{"b"}},
		{name: "the delivery can't be recorded", step: "MarkSent a",
			want:       Result{Sent: []string{"a", "b"}},
			wantErr:    "mark alert a as sent: disk full; the next run looks it up",
			wantPosted: []string{"a", "b"}},
		{name: "the failure can't be recorded", step: "MarkWaiting a", sendErr: &SendError{Outcome: NotSent, Reason: "busy"},
			want:       Result{Sent: []string{"b"}, Waiting: []Problem{{"a", "#costs", "busy"}}},
			wantErr:    "mark alert a as waiting: disk full; the next run looks it up",
			wantPosted: []string{"b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			outbox, sender := newOutbox("a", "b"), &channel{errs: map[string]error{"a": test.sendErr}}
			outbox.errs[test.step] = disk
			got, err := walkOnce(t.Context(), outbox, sender)
			if err == nil || err.Error() != test.wantErr || !errors.Is(err, disk) {
				t.Errorf("error = %v, want %s", err, test.wantErr)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.wantPosted, sender.posted); diff != "" {
				t.Errorf("posted (-want +got):\n%s", diff)
			}
		})
	}
}

// cancelling cancels the walk inside its first send, which still succeeds.
type cancelling struct {
	channel
	cancel func()
}

func (c *cancelling) Send(ctx context.Context, m Message) (string, error) {
	c.cancel()
	return c.channel.Send(ctx, m)
}

// Goal: a walk that is cancelled in the middle of a send still records it and
// reports the rest as left over.
// Method: cancel from inside the first Send; the outbox refuses a dead context.
func TestDeliverCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	outbox, sender := newOutbox("a", "b"), &cancelling{cancel: cancel}
	got, err := walkOnce(ctx, outbox, sender)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	want := Result{Sent: []string{"a"}, Waiting: []Problem{{"b", "#costs", "context canceled"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if got := outbox.states(); got != "a:sent:1 b:pending:0 " {
		t.Errorf("states = %s", got)
	}
}

// killed ends a walk as a kill does: nothing after it runs.
type killed struct{}

// crashing kills the process before or after one of its steps.
type crashing struct {
	*memoryOutbox
	Sender
	step    *int // steps so far
	killAt  int  // the step that dies
	isAfter bool // after its effect, not before
}

func (c crashing) run(effect func()) {
	*c.step++
	if *c.step == c.killAt && !c.isAfter {
		panic(killed{})
	}
	effect()
	if *c.step == c.killAt {
		panic(killed{})
	}
}

func (c crashing) MarkSending(ctx context.Context, id, channel string, state State) (err error) {
	c.run(func() { err = c.memoryOutbox.MarkSending(ctx, id, channel, state) })
	return err
}

func (c crashing) MarkSent(ctx context.Context, id, ref string) (err error) {
	c.run(func() { err = c.memoryOutbox.MarkSent(ctx, id, ref) })
	return err
}

func (c crashing) MarkWaiting(ctx context.Context, id string, state State, reason string) (err error) {
	c.run(func() { err = c.memoryOutbox.MarkWaiting(ctx, id, state, reason) })
	return err
}

func (c crashing) Send(ctx context.Context, m Message) (ref string, err error) {
	c.run(func() { ref, err = c.Sender.Send(ctx, m) })
	return ref, err
}

// crashingFinder is crashing for a sender that can look up.
type crashingFinder struct {
	crashing
	finder Finder
}

func (c crashingFinder) Find(ctx context.Context, m Message) (string, bool, error) {
	return c.finder.Find(ctx, m)
}

// walkUntilKilled runs one walk and says whether it was killed.
func walkUntilKilled(ctx context.Context, outbox Outbox, sender Sender) (wasKilled bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			wasKilled = true
		}
	}()
	_, err = walkOnce(ctx, outbox, sender)
	return false, err
}

// Goal: killed anywhere, as often as it likes, a run sends each message
// exactly once where the sender can look up; otherwise never more than twice, and it
// never loses one without saying so.
// Method: kill a walk before or after any of its steps, several times over,
// then let one finish and count what is in the channel.
func TestKilledAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outbox := newOutbox("a", "b", "c")
		base := &findable{}
		canFind := rapid.Bool().Draw(t, "can find")
		kills := 0
		for range rapid.IntRange(1, 5).Draw(t, "walks") {
			step := 0
			c := crashing{
				memoryOutbox: outbox, Sender: base, step: &step,
				killAt: rapid.IntRange(1, 9).Draw(t, "step"), isAfter: rapid.Bool().Draw(t, "after its effect"),
			}
			var sender Sender = c
			if canFind {
				sender = crashingFinder{crashing: c, finder: base}
			}
			wasKilled, err := walkUntilKilled(context.Background(), c, sender)
			if err != nil {
				t.Fatal(err)
			}
			if wasKilled {
				kills++
			}
		}
		var last Sender = &base.channel
		if canFind {
			last = base
		}
		if _, err := walkOnce(context.Background(), outbox, last); err != nil {
			t.Fatal(err)
		}
		for _, m := range outbox.messages {
			n := 0
			for _, id := range base.posted {
				if id == m.ID {
					n++
				}
			}
			known := m.State == Sent && n > 0 || m.State == Resending && !canFind && kills > 1 // then somebody is asked to look
			if !known || canFind && n != 1 || n > min(2, 1+kills) {
				t.Fatalf("message %s is %s and was posted %d times after %d kills", m.ID, m.State, n, kills)
			}
		}
	})
}
