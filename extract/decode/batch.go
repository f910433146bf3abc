package decode

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// BatchOptions say of a source of batch results what its lines leave out.
type BatchOptions struct {
	// Provider is who is paid, as prices name it, such as azure for results in
	// OpenAI's format that Azure wrote. Empty is the format's own.
	Provider string
	// BatchDefaults hold for every job that doesn't say otherwise.
	BatchDefaults
	// ClientRef are dotted paths in a line, such as modelInput.metadata.user_id,
	// of which the first that is present counts. Without one it is the id that
	// the caller gave the line.
	ClientRef []string
	// Jobs are what is known of single jobs.
	Jobs []BatchJob
}

// BatchDefaults are what all lines of a job have in common.
type BatchDefaults struct {
	// Model is as the provider's prices name it. With Bedrock it counts before
	// what an answer tells, which is another name or nothing; with the others it
	// stands in for an answer that doesn't tell.
	Model      string
	Account    string // account, project or workspace
	Region     string
	Caller     string // role or service account that sent the job
	CostCenter string
	AgentID    string
}

// BatchJob is one job. It stands for the objects in whose keys its id occurs as
// a word, the longest id first.
type BatchJob struct {
	// ID is the job's or batch's id. A Bedrock job's ARN also gives its account
	// and region.
	ID string
	BatchDefaults
	// StartedAt, RFC 3339, is the time of lines that have none. Without it they
	// have the time at which their object was written.
	StartedAt string
	// ClientRef is the agent request that sent the whole job, where there was
	// one: each line then is a part of that request's usage.
	ClientRef string
}

// batchJob is a job as lines take it over.
type batchJob struct {
	id, model, account, region, caller, costCenter, agentID, clientRef []byte
	startedAt                                                          int64 // 0 where it isn't known
}

var (
	batchTier     = []byte("batch")
	bedrockJobARN = regexp.MustCompile(`^arn:aws[a-z-]*:bedrock:([a-z0-9-]+):([0-9]+):model-invocation-job/([A-Za-z0-9]+)$`)
)

// batchJobs are the jobs of one source.
type batchJobs struct {
	other batchJob // of objects in whose keys no job's id occurs
	jobs  []batchJob
}

func newBatchJobs(o BatchOptions) (all batchJobs, err error) {
	all.other = newBatchJob(BatchJob{}, o.BatchDefaults)
	for i, j := range o.Jobs {
		if arn := bedrockJobARN.FindStringSubmatch(j.ID); arn != nil {
			j.ID = arn[3]
			j.Region, j.Account = cmp.Or(j.Region, arn[1]), cmp.Or(j.Account, arn[2])
		}
		job := newBatchJob(j, o.BatchDefaults)
		switch {
		case j.ID == "":
			return all, fmt.Errorf("jobs[%d].id: is missing; write the id that stands in the keys of the job's results", i)
		case strings.ContainsAny(j.ID, "/ "):
			return all, fmt.Errorf("jobs[%d].id: %q is neither a job's id nor a Bedrock job's ARN", i, j.ID)
		case all.find(j.ID) >= 0:
			return all, fmt.Errorf("jobs[%d].id: %q is listed twice", i, j.ID)
		}
		if j.StartedAt != "" {
			at, err := time.Parse(time.RFC3339, j.StartedAt)
			if err != nil || !credible(at.UnixMicro()) {
				return all, fmt.Errorf("jobs[%d].started_at: %q is not a time such as 2026-10-31T23:59:40Z of the years 2015 to 2100", i, j.StartedAt)
			}
			job.startedAt = at.UnixMicro()
		}
		all.jobs = append(all.jobs, job)
	}
	return all, nil
}

func newBatchJob(j BatchJob, other BatchDefaults) batchJob {
	or := func(own, other string) []byte { return []byte(cmp.Or(own, other)) }
	return batchJob{
		id: []byte(j.ID), model: or(j.Model, other.Model), account: or(j.Account, other.Account), region: or(j.Region, other.Region),
		caller: or(j.Caller, other.Caller), costCenter: or(j.CostCenter, other.CostCenter), agentID: or(j.AgentID, other.AgentID),
		clientRef: []byte(j.ClientRef),
	}
}

func (b *batchJobs) find(id string) int {
	for i := range b.jobs {
		if string(b.jobs[i].id) == id {
			return i
		}
	}
	return -1
}

// of returns the job of an object: that with the longest id of those that occur
// in its key as a word.
func (b *batchJobs) of(key string) *batchJob {
	best := &b.other
	for i := range b.jobs {
		if j := &b.jobs[i]; len(j.id) > len(best.id) && hasWord(key, string(j.id)) {
			best = j
		}
	}
	return best
}

// hasWord says whether word occurs in s with no letter or digit beside it.
func hasWord(s, word string) bool {
	inside := func(i int) bool {
		return i >= 0 && i < len(s) && (s[i]-'0' <= 9 || (s[i]|0x20)-'a' < 26)
	}
	for from := 0; ; from++ {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		from += i
		if !inside(from-1) && !inside(from+len(word)) {
			return true
		}
	}
}

// batchObject is the object that is read, and its job.
type batchObject struct {
	*batchJob
	key     []byte // of the object
	written int64  // when, in microseconds; out of all years where the store doesn't tell
}

// common fills what a line has of its job. The time is the line's own where it
// has one, else the job's start, else when the object was written.
func (o *batchObject) common(u *record.Usage, at jsonscan.Value, field string) (err error) {
	u.Account, u.Region, u.Caller = o.account, o.region, o.caller
	u.CostCenter, u.AgentID, u.ServiceTier = o.costCenter, o.agentID, batchTier
	switch {
	case !missing(at):
		u.StartedAt, err = instant(at, field)
	case o.startedAt != 0:
		u.StartedAt = o.startedAt
	case credible(o.written):
		u.StartedAt = o.written
	default:
		err = &FieldError{field, "is missing, and the store doesn't tell when the object was written; give the job's started_at"}
	}
	return err
}

// ref is the client's reference of a line: the job's, else the first of the
// paths that the options name, else the line's own id.
func (o *batchObject) ref(v []jsonscan.Value, paths []int, own []byte) []byte {
	if len(o.clientRef) > 0 {
		return o.clientRef
	}
	if ref := firstID(v, paths); len(ref) > 0 {
		return ref
	}
	return own
}

// batchDecoder finds the job of an object before its lines are read.
type batchDecoder struct {
	*jsonDecoder
	jobs   *batchJobs
	object *batchObject
	begin  func(*batchObject) error // what a format has to know of the object besides; may be nil
}

// Decode implements Decoder.
func (d *batchDecoder) Decode(r io.Reader, sink *Sink) error {
	origin := sink.Origin()
	*d.object = batchObject{batchJob: d.jobs.of(origin.Key), key: []byte(origin.Key), written: origin.Modified.UnixMicro()}
	if d.begin != nil {
		if err := d.begin(d.object); err != nil {
			return err
		}
	}
	return d.jsonDecoder.Decode(r, sink)
}

// metered fills what an answer that was billed cost in tokens, and where it was
// served where it tells.
func (r *answerReader) metered(v []jsonscan.Value, usage *usageFields, u *record.Usage, field string) error {
	a, err := r.read(v, usage, &u.Tokens)
	switch {
	case err != nil:
		return err
	case !a.hasInput && !a.hasOutput:
		return &FieldError{field, "tells no token counts in any shape that is known, so that its cost isn't known either"}
	case len(u.Model) == 0:
		return &FieldError{field + ".model", "is missing; name the model in the source's options or in the job's entry"}
	case !a.hasInput || !a.hasOutput: // an embedding, or cut
		u.Completeness = 1
	}
	if u.Notice = a.notice; v[usage.region].Kind != jsonscan.Absent {
		if region := geography(v[usage.region]); len(region) > 0 {
			u.Region = region
		}
	}
	return nil
}

// fail makes u the row of a request that was not served: it costs nothing.
func fail(u *record.Usage, code []byte) {
	u.Failed, u.Completeness, u.ErrorCode = true, 0, code
	if len(u.Model) == 0 {
		u.Model = unknown
	}
}

// credible says whether a time lies in the years that are taken for no mistake.
func credible(us int64) bool { return us >= yearMinMicros && us < yearEndMicros }
