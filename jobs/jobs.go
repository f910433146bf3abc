// Package jobs walks the line for one window: what a night and a month's end
// do, step by step.
//
// It owns: the order of the steps, which windows are due, which one of several
// runners may write, and what a run reports.
// It does not own: any step's work (extract, transform, billing), the clock
// (cmd), or which warehouse or messenger is used (cmd).
package jobs

import (
	"chargeback/billing/budget"
	"chargeback/billing/invoice"
	"chargeback/billing/ledger"
	"chargeback/billing/manifest"
	"chargeback/billing/notify"
	"chargeback/billing/outbox"
	"chargeback/extract"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/money"
	"chargeback/transform/rates"
	"context"
	"time"
)

// Books is everything that a window needs, wired by hand.
type Books struct {
	Manifest  *manifest.Manifest
	Ledger    *ledger.Ledger
	Outbox    *outbox.Outbox
	Sources   []extract.Source
	Rates     *rates.Book
	Directory *directory.Directory
	Courier   *notify.Courier // delivers the messages of this run

	Zone     *time.Location
	Start    civil.Date // first business day that is accounted for
	LateDays int        // days that a request waits for its usage, and back that a night looks for objects
	// DeletedAfterDays is after how many days an object that is gone from its source
	// counts as deleted, with its records; 0 is never, unless somebody says so.
	DeletedAfterDays int
	EmptyNightsMax   int      // nights without an object in any source that may be due at once; 0 is no limit
	CloseDay         int      // day of the next month on which a month falls due
	UsageFrom        []string // providers whose own per-request file is the usage
	Fingerprint      bool     // usage and a request that no id brings together may meet by what both count
	PeopleFrom       []string // sources of people in the order in which their snapshots are believed
	RequestsFrom     []string // sources in the order in which their record of a call counts
	UnknownModel     []UnknownModel
	CacheTTL         []CacheTTL // in each kind the first that fits counts
	MatchAlarm       int        // percent of a source's usage below which a night says that requests are missing; 0 is never
	Signal           SignalSettings
	Budgets          []budget.Budget
	AlertChannel     string // of messages about budgets that are no longer in the settings
	Month            MonthSettings

	unread map[string]*unreadError // by name: sources that could not be read since the books were opened
}

// UnknownModel prices a model that the rate book doesn't have as one that it
// has, of the same provider, or by what the gateway reported.
type UnknownModel struct {
	Provider, Model, PriceAs string
	Take                     string // records.TakeReported, or empty
}

// CacheTTL says how long cache writes are kept where no record says so: those of
// a source, or those of a provider's models.
type CacheTTL struct {
	Source          string
	Provider, Model string // Model with * for any characters; both empty where Source is set
	TTL             string // records.TTL5m or records.TTL1h
}

// MonthSettings is what the close of a month needs besides the ledger.
type MonthSettings struct {
	Dir              string // folder of the documents
	Issuer           invoice.Issuer
	RecoveryAccount  string
	ExpenseAccount   string // where a cost centre names none
	Intercompany     invoice.Intercompany
	DisputeDays      int
	SharedCosts      []SharedCost
	SharedBearer     string // cost centre that bears what nobody else is left to bear; one that the directory lacks is Unallocated
	Waivers          []Waiver
	UnallocatedLimit money.USD
	Bills            BillSettings
	Render           func(invoice.Document) ([]byte, error) // the PDF; called at the same time for several
	Fonts            Fonts                                  // that Render draws with; nil: the built-in one alone
	CSVEncoding      string                                 // of the CSV files; empty is invoice.UTF8
	Workers          int                                    // documents drawn at once; 0 is one
	Drawing          func() (done func())                   // called before a month's documents are drawn, and what it returns after them; nil: nothing is
	Delivery         Delivery                               // nil: the folder is all
}

// Fonts says what documents are drawn with.
type Fonts interface {
	// Needs is the fonts of a document that is being closed, and the characters
	// in it that no font has.
	Needs(invoice.Document) (fonts []invoice.Font, unshown string)
	// Lost is the fonts of a closed document that are no longer there.
	Lost(invoice.Document) []string
}

// Delivery is where documents go besides their folder.
type Delivery interface {
	// Create writes an object that is not there yet, or is there with the same
	// bytes; it never replaces others. It may be called at the same time for
	// several keys.
	Create(ctx context.Context, key, contentType string, content []byte) error

	// Keys lists the objects below a folder that are there, by key.
	Keys(ctx context.Context, folder string) ([]string, error)
	String() string
}

// SharedCost is a fixed monthly amount that is divided among cost centres.
type SharedCost struct {
	Name   string
	Amount money.USD
	Split  string               // even, fixed or proportional
	Shares map[string]money.USD // weights by cost centre; only for fixed
	From   civil.Month          // first month, zero: none is named
	Covers func(civil.Month) bool
}

// Waiver lets one month close although one gate failed, as long as it found no more
// than Count and AmountUSD, where they are set.
type Waiver struct {
	Month            civil.Month
	Gate, By, Reason string
	Count            int       `json:",omitempty"`
	AmountUSD        money.USD `json:",omitzero"`

	Bound    string `json:",omitempty"` // how much it covers, and how much was found at the close, in words
	Measured string `json:",omitempty"`
}

// Problem is something that a person has to look at.
type Problem struct {
	Kind   string `json:"kind,omitempty"` // for machines: one word a kind; empty in summaries of earlier versions
	Source string `json:"source"`
	Object string `json:"object"`
	What   string `json:"what"`
}
