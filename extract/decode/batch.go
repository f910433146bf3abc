package decode

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// BatchOptions says of the results of batch jobs what none of their lines does.
// Texts that are empty are not known.
type BatchOptions struct {
	Provider   string // "": the format's own
	Account    string
	Region     string
	Model      string // of lines that name none
	Caller     string
	CostCenter string
	AgentID    string
	Jobs       []BatchJob
}

// BatchJob says of one job what the options say of all; what it leaves empty
// stays theirs.
type BatchJob struct {
	ID         string    // the job's folder, or a part of the object's name
	StartedAt  time.Time // zero: when the object was written
	Model      string
	Caller     string
	CostCenter string
	AgentID    string
}

// batchTier is the service tier of all that runs in batches.
var batchTier = []byte("batch")

// batchLines fills what lines of batch results share.
type batchLines struct {
	o        BatchOptions
	provider []byte
	origin   Origin
	base     record.Usage // what is known of all lines of the object
	jobID    []byte       // the folder of the object; "" where it lies in none
}

func newBatchLines(o BatchOptions, provider string) batchLines {
	if o.Provider != "" {
		provider = o.Provider
	}
	return batchLines{o: o, provider: []byte(provider)}
}

// begin makes a usage row with what is known of the object's job. The row's time
// is the job's, until a line tells a better one.
func (b *batchLines) begin(origin Origin, u *record.Usage) {
	if origin != b.origin || b.base.Provider == nil {
		b.find(origin)
	}
	*u = b.base
}

// find settles which job an object belongs to.
func (b *batchLines) find(origin Origin) {
	b.origin, b.jobID = origin, nil
	job := BatchJob{StartedAt: origin.Modified, Model: b.o.Model, Caller: b.o.Caller, CostCenter: b.o.CostCenter, AgentID: b.o.AgentID}
	folders := strings.Split(origin.Key, "/")
	if len(folders) > 1 {
		b.jobID = []byte(folders[len(folders)-2])
	}
	if i := slices.IndexFunc(b.o.Jobs, func(j BatchJob) bool { return strings.Contains(origin.Key, j.ID) }); i >= 0 {
		own := b.o.Jobs[i]
		b.jobID = []byte(own.ID)
		if !own.StartedAt.IsZero() {
			job.StartedAt = own.StartedAt
		}
		job.Model, job.Caller = cmp.Or(own.Model, job.Model), cmp.Or(own.Caller, job.Caller)
		job.CostCenter, job.AgentID = cmp.Or(own.CostCenter, job.CostCenter), cmp.Or(own.AgentID, job.AgentID)
	}
	b.base = record.Usage{
		Provider: b.provider, ServiceTier: batchTier, Account: []byte(b.o.Account), Region: []byte(b.o.Region), Model: []byte(job.Model), Caller: []byte(job.Caller),
		CostCenter: []byte(job.CostCenter), AgentID: []byte(job.AgentID), StartedAt: job.StartedAt.UnixMicro(),
	}
}

// timed refuses a line of which neither it nor its job tells the time.
func timed(u *record.Usage) error {
	if u.StartedAt < yearMinMicros {
		return &FieldError{"started_at", "is not known; name the job and its time in the source's settings"}
	}
	return nil
}

// took fills tokens and completeness of a line that succeeded. field is where
// the usage should be.
func (b *batchLines) took(v []jsonscan.Value, usage *usageFields, u *record.Usage, field string) error {
	hasInput, hasOutput, err := usage.read(v, &u.Tokens)
	switch {
	case err != nil:
		return err
	case !hasInput: // what isn't known is not zero
		return &FieldError{field, "tells no input tokens in a record without an error"}
	case len(u.Model) == 0:
		return &FieldError{"model", "is missing, and the source's settings name none for this job"}
	}
	if u.Completeness = 2; !hasOutput { // an embedding
		u.Completeness = 1
	}
	return nil
}

// failed marks a line that was not answered and costs nothing.
func failed(u *record.Usage, code []byte) {
	u.Failed, u.Completeness, u.ErrorCode = true, 0, code
	if len(u.Model) == 0 {
		u.Model = unknown
	}
}
