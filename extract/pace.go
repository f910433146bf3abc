package extract

import (
	"context"
	"sync"
	"time"
)

const (
	// fetchesFirst is how many fetches go at once until it is known how long one takes.
	fetchesFirst = 16
	// fetchesLeast is how few go at once to a server that has no time for more.
	fetchesLeast = 4
)

// pace says how many fetches go at once: as many as don't make each other wait.
//
// Fetches are looked at in rounds, of as many as go at once. As long as one takes
// no longer than in the quickest round, more at once bring more a second: there are
// half as many again in the next round. Where they take three times as long, the
// server answers late, or has asked to slow down, which its store waits for: there
// are a third fewer, and from then on only a sixteenth more at a time. Between the two
// the number stays. What made a server slow may have nothing to do with how much it
// is asked, so each time there are fewer the quickest round counts as a quarter slower.
type pace struct {
	most  int           // fetches at once, at most
	freed chan struct{} // told that a fetch may begin

	mu     sync.Mutex
	limit  int // fetches at once now
	flying int
	round  round
	quick  time.Duration // how long one took in the quickest round
	slowed bool          // there have been fewer once
}

// round is what is known of the fetches that ended in one.
type round struct {
	ended int
	took  time.Duration // all together
	full  bool          // as many went at once as may
}

func newPace(most int) *pace {
	return &pace{most: most, limit: min(fetchesFirst, most), freed: make(chan struct{}, 1)}
}

// begin waits until another fetch may go. It is called from one goroutine only.
func (p *pace) begin(ctx context.Context) error {
	for !p.began() {
		select {
		case <-p.freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func (p *pace) began() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flying >= p.limit {
		p.round.full = true
		return false
	}
	p.flying++
	return true
}

// end is called when a fetch has ended that took so long. One that took very long
// is not to stand for all of its round.
func (p *pace) end(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quick > 0 {
		took = min(took, 8*p.quick)
	}
	p.flying--
	p.round.ended++
	p.round.took += took
	if p.round.ended >= max(p.limit, fetchesFirst) {
		p.judge(p.round)
		p.round = round{}
	}
	select {
	case p.freed <- struct{}{}:
	default:
	}
}

// judge sets the number of fetches at once for the next round.
func (p *pace) judge(r round) {
	each := r.took / time.Duration(r.ended)
	if p.quick == 0 || each < p.quick {
		p.quick = each
	}
	switch {
	case each > 3*p.quick:
		p.limit = max(min(fetchesLeast, p.most), p.limit*2/3)
		p.quick += p.quick / 4
		p.slowed = true
	case r.full && 2*each < 3*p.quick && p.slowed:
		p.limit = min(p.most, p.limit+max(1, p.limit/16))
	case r.full && 2*each < 3*p.quick:
		p.limit = min(p.most, p.limit+max(1, p.limit/2))
	}
}
