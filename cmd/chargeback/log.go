package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// runLog is what a run says of its work on stderr, where machines read it: a JSON
// object a line, each with the run's id, its level and its time, and as the last
// one the sum of the run with its exit code. In text it is silent, and people are
// told on stdout.
type runLog struct {
	format string // formatText or formatJSON
	out    io.Writer
	now    func() time.Time
	id     string
	began  time.Time

	mu   sync.Mutex
	sum  sum
	runs bool // windows were looked at: the sum means something
}

// sum is what a run came to.
type sum struct {
	nights, months                  int
	objects                         int
	records, rejected               int64
	alerts, problems, sent, waiting int
}

// newLog begins the log of a run that begins now, in process pid.
func newLog(format string, out io.Writer, now func() time.Time, pid int) *runLog {
	began := now()
	return &runLog{format: format, out: out, now: now, began: began, id: fmt.Sprintf("%s-%d", began.UTC().Format("20060102T150405.000Z"), pid)}
}

// asksForJSON says whether a command line wants the log for machines.
func asksForJSON(args []string) bool {
	for i, arg := range args {
		switch {
		case arg == "--":
			return false
		case arg == "--log-format="+formatJSON, arg == "--log-format" && i+1 < len(args) && args[i+1] == formatJSON:
			return true
		}
	}
	return false
}

// newRun is the world of a run of its own, as each wake-up of serve is one.
func (w world) newRun() world {
	w.log = newLog(w.log.format, w.log.out, w.now, w.pid)
	w.err = w.log
	return w
}

// machines says whether machines read the log.
func (l *runLog) machines() bool { return l != nil && l.format == formatJSON }

// count adds to the sum of the run.
func (l *runLog) count(add func(*sum)) {
	if l != nil {
		add(&l.sum)
	}
}

// Write takes what is said in words on stderr: where machines read, each text is
// a line of the log.
func (l *runLog) Write(text []byte) (int, error) {
	if !l.machines() {
		return l.out.Write(text)
	}
	if said := strings.TrimSpace(string(text)); said != "" {
		l.log(slog.LevelInfo, strings.TrimPrefix(said, "chargeback: "))
	}
	return len(text), nil
}

// log writes one line for machines.
func (l *runLog) log(level slog.Level, what string, attrs ...slog.Attr) {
	if !l.machines() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := slog.NewRecord(l.now(), level, what, 0)
	r.AddAttrs(slog.String("run_id", l.id))
	r.AddAttrs(attrs...)
	_ = slog.NewJSONHandler(l.out, nil).Handle(context.Background(), r) // nowhere is left to say that stderr is gone
}

// ended writes the last line: what the run came to. err is why it did not end
// with 0.
func (l *runLog) ended(code int, err error) {
	level, attrs := slog.LevelInfo, []slog.Attr{slog.Int("exit_code", code)}
	switch code {
	case exitOK:
	case exitLook:
		level = slog.LevelWarn
	default:
		level = slog.LevelError
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", withoutSecrets(err)))
	}
	attrs = append(attrs, slog.Int64("milliseconds", l.now().Sub(l.began).Milliseconds()))
	if !l.runs {
		l.log(level, "run ended", attrs...)
		return
	}
	s := l.sum
	l.log(level, "run ended", append(attrs,
		slog.Int("nights", s.nights), slog.Int("months", s.months),
		slog.Int("objects_read", s.objects), slog.Int64("records", s.records), slog.Int64("rejected", s.rejected),
		slog.Int("alerts", s.alerts), slog.Int("messages_sent", s.sent), slog.Int("messages_waiting", s.waiting),
		slog.Int("problems", s.problems))...)
}

// counts says that the sum of the run means something.
func (l *runLog) counts() {
	if l != nil {
		l.runs = true
	}
}

// tell tells people something in words on stdout, machines by a name and facts.
func (w world) tell(name string, facts []slog.Attr, format string, args ...any) {
	if w.log.machines() {
		w.log.log(slog.LevelInfo, name, facts...)
		return
	}
	w.item(format, args...)
}

// table is tell for a line of a table, whose columns stay where they are.
func (w world) table(name string, facts []slog.Attr, format string, args ...any) {
	if w.log.machines() {
		w.log.log(slog.LevelInfo, name, facts...)
		return
	}
	fmt.Fprintf(w.out, format+"\n", args...)
}

// look is tell for what somebody should look at.
func (w world) look(name string, facts []slog.Attr, format string, args ...any) {
	w.log.count(func(s *sum) { s.problems++ })
	if w.log.machines() {
		w.log.log(slog.LevelWarn, name, facts...)
		return
	}
	w.item("  ! "+format, args...)
}

// warn says in words what somebody should look at.
func (w world) warn(format string, args ...any) {
	w.look("problem", []slog.Attr{slog.String("what", fmt.Sprintf(format, args...))}, format, args...)
}
