package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// delayed stands before a server and hands on each of its answers late, as a
// distant one's come. It counts the requests that wait for an answer at once.
type delayed struct {
	listener net.Listener
	target   string
	by       time.Duration
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex
	waiting int
	most    int
	answers int
}

// newDelayed listens on a free port of 127.0.0.1.
func newDelayed(ctx context.Context, target string, by time.Duration) (*delayed, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	d := &delayed{listener: listener, target: target, by: by, stop: stop}
	d.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			d.running.Go(func() { d.serve(ctx, client) })
		}
	})
	return d, nil
}

// Close ends all connections.
func (d *delayed) Close() error {
	d.stop()
	err := d.listener.Close()
	d.running.Wait()
	return err
}

func (d *delayed) address() string { return d.listener.Addr().String() }

// counted are the answers since it was last asked, and how many requests waited at
// once.
func (d *delayed) counted() (answers, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answers, most = d.answers, d.most
	d.answers, d.most = 0, d.waiting
	return answers, most
}

// serve connects one client with the server until either hangs up.
func (d *delayed) serve(ctx context.Context, client net.Conn) {
	server, err := new(net.Dialer).DialContext(ctx, "tcp", d.target)
	if err != nil {
		_ = client.Close() // which tells the client
		return
	}
	hangUp := func() { _ = errors.Join(client.Close(), server.Close()) }
	defer context.AfterFunc(ctx, hangUp)()
	c := &connection{delayed: d}
	var asking sync.WaitGroup
	asking.Go(func() {
		defer hangUp()
		_ = pass(client, server, func() { c.set(true) })
	})
	_ = pass(server, client, func() {
		if c.waits.Load() {
			time.Sleep(d.by)
			c.set(false)
		}
	})
	hangUp()
	asking.Wait()
	c.set(false)
}

// pass hands on what comes, each piece after before was called.
func pass(from io.Reader, to io.Writer, before func()) error {
	text := make([]byte, 64<<10)
	for {
		n, err := from.Read(text)
		if n > 0 {
			before()
			if _, err := to.Write(text[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// connection is one client's; its requests come one after the other.
type connection struct {
	*delayed
	waits atomic.Bool // for an answer
}

func (c *connection) set(waits bool) {
	if c.waits.Swap(waits) == waits {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if waits {
		c.waiting++
		c.most = max(c.most, c.waiting)
		return
	}
	c.waiting--
	c.answers++
}
