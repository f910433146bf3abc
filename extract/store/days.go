package store

import (
	"fmt"
	"strings"
	"time"
)

// DateDepthMax is how deep in a store the folders of a date may begin; a
// folder directly in the store has depth 1. What lies deeper is undated.
const DateDepthMax = 8

// HourUnknown is the hour of an object whose name tells none.
const HourUnknown = -1

// DayRange is a run of delivery days: First and Last and all between. Only the
// date of each is looked at. Folders tell when an object was delivered, not
// when its requests were made, so a caller that wants the requests of a day
// also takes the first hours of the next.
type DayRange struct {
	First, Last time.Time
	// LastHours takes only the hours 0 to LastHours-1 of Last, 1 to 24; 0 takes
	// all of it. Objects whose hour is unknown are always taken.
	LastHours int
}

// Has says whether an object of that day and hour, as DayOf tells them, is in
// the range. An undated object always is.
func (r DayRange) Has(day string, hour int) bool {
	last := r.Last.Format(time.DateOnly)
	switch {
	case day == "":
		return true
	case day < r.First.Format(time.DateOnly) || day > last:
		return false
	}
	return day < last || r.LastHours == 0 || hour < r.LastHours
}

// partialDay is the day of which only some hours are taken, or "".
func (r DayRange) partialDay() string {
	if r.LastHours == 0 || r.LastHours == 24 {
		return ""
	}
	return r.Last.Format(time.DateOnly)
}

func (r DayRange) check() error {
	if r.LastHours < 0 || r.LastHours > 24 {
		return fmt.Errorf("day range: %d hours of the last day; take 1 to 24, or 0 for all", r.LastHours)
	}
	return nil
}

// DayOf tells from an object's key the day ("2026-10-31", or "" where there is
// none) and the hour (0 to 23, or HourUnknown) of its delivery.
//
// A day is a folder YYYY-MM-DD, or YYYY holding MM holding DD, or year=YYYY
// holding month=MM holding day=DD; the first one on the way down counts. Years
// are 2000 to 2099 and the date must exist, anything else is an ordinary
// folder. The hour is a folder HH or hour=HH directly in the day's folder,
// else a file name that begins with time-HH-.
func DayOf(key string) (day string, hour int) {
	var t trail
	for {
		name, rest, inFolder := strings.Cut(key, "/")
		if !inFolder {
			break
		}
		t, key = t.step(name), rest
	}
	if t.day == "" {
		return "", HourUnknown
	}
	if t.hour == hourNone {
		t.hour = hourOfFile(key)
	}
	return t.day, t.hour - 1
}

// hourNone is a trail's hour when no folder told one; others are the hour + 1,
// so that an empty trail is one that has seen nothing.
const hourNone = 0

// trail is what the folders walked so far tell about the day.
type trail struct {
	depth       int
	hive        bool   // the date began with year=
	year, month string // the beginning of a date, digits only
	day         string // the whole date, once it is known
	below       bool   // a folder inside the day's folder has been entered
	hour        int    // the hour + 1, or hourNone
}

// step enters the folder called name.
func (t trail) step(name string) trail {
	t.depth++
	switch {
	case t.day != "":
		if !t.below {
			t.below, t.hour = true, hourOfFolder(name)
		}
		return t
	case t.month != "":
		if d, ok := part(name, "day=", 2, t.hive); ok && isDate(t.year+"-"+t.month+"-"+d) {
			t.day = t.year + "-" + t.month + "-" + d
			return t
		}
	case t.year != "":
		if m, ok := part(name, "month=", 2, t.hive); ok && m >= "01" && m <= "12" {
			t.month = m
			return t
		}
	}
	return trail{depth: t.depth}.begin(name)
}

// begin looks for a date that begins with this folder.
func (t trail) begin(name string) trail {
	if t.depth > DateDepthMax {
		return t
	}
	if isDate(name) {
		t.day = name
		return t
	}
	for _, hive := range []bool{false, true} {
		if y, ok := part(name, "year=", 4, hive); ok && isYear(y) {
			t.year, t.hive = y, hive
		}
	}
	return t
}

// undated says that no folder below can begin or complete a date.
func (t trail) undated() bool {
	return t.depth >= DateDepthMax && t.day == "" && t.year == ""
}

// part reads one part of a date: digits of the given width, after label where
// the date is written the hive way.
func part(name, label string, width int, hive bool) (digits string, ok bool) {
	if hive {
		if name, ok = strings.CutPrefix(name, label); !ok {
			return "", false
		}
	}
	return name, len(name) == width && isDigits(name)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isYear keeps account numbers and cost centres of four digits from being
// taken for years: a wrong year would hide what lies below.
func isYear(digits string) bool { return strings.HasPrefix(digits, "20") }

func isDate(s string) bool {
	if len(s) != len(time.DateOnly) || !isYear(s) {
		return false
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func hourOfFolder(name string) int {
	name = strings.TrimPrefix(name, "hour=")
	return hourOfDigits(name)
}

func hourOfFile(name string) int {
	rest, ok := strings.CutPrefix(name, "time-")
	if !ok || len(rest) < 3 || rest[2] != '-' {
		return hourNone
	}
	return hourOfDigits(rest[:2])
}

func hourOfDigits(s string) int {
	if len(s) != 2 || !isDigits(s) || s > "23" {
		return hourNone
	}
	return int(s[0]-'0')*10 + int(s[1]-'0') + 1
}
