package demo

import (
	"sort"
	"time"
)

// place is where a provider ran a request.
type place struct{ account, region string }

const (
	accountProd = "123456789012"
	accountData = "210987654321"
)

var (
	prodEU = place{accountProd, "eu-central-1"}
	prodUS = place{accountProd, "us-east-1"}
	dataEU = place{accountData, "eu-central-1"}
	dataUS = place{accountData, "us-east-1"}
	openAI = place{} // no file of the provider's own
)

// logsBodies says whether the account's owner switched bodies on.
func (p place) logsBodies() bool { return p == prodUS || p == dataUS }

// Operations of the Bedrock runtime.
const (
	converse       = "Converse"
	converseStream = "ConverseStream"
	invoke         = "InvokeModel"
	invokeStream   = "InvokeModelWithResponseStream"
)

// join is the key by which the gateway's record finds the provider's.
type join int

const (
	byHeader     join = iota // the provider's request id in a response header
	byResponseID             // the message id in the provider's body
	byCallID                 // the gateway's call id in requestMetadata
	byClientRef              // a reference of the caller's own in requestMetadata
)

// outcome is what the gateway says of a request.
type outcome int

const (
	succeeded outcome = iota
	failed
	cacheHit
)

// Kind names what is special about a call.
type Kind string

// The kinds of calls in the demo.
const (
	Ordinary       Kind = "ordinary"
	CacheHit       Kind = "cache_hit"       // answered by the gateway's own cache
	Refused        Kind = "refused"         // failed at the gateway, never reached the provider
	Throttled      Kind = "throttled"       // failed at the provider, which logged the error
	TimedOut       Kind = "timed_out"       // failed at the gateway, finished and billed by the provider
	Retried        Kind = "retried"         // one request, billed twice
	LateUsage      Kind = "late_usage"      // the provider's record arrives two days later
	VeryLateUsage  Kind = "very_late_usage" // it arrives five days later, after the estimate
	LostUsage      Kind = "lost_usage"      // it never arrives
	BrokenUsage    Kind = "broken_usage"    // its line is cut off
	UnknownModel   Kind = "unknown_model"   // a model without a price
	DoubleCallback Kind = "double_callback" // logged by the gateway under two keys
	RepeatedUsage  Kind = "repeated_usage"  // one line delivered twice
	ExplicitCenter Kind = "explicit_center" // names its cost centre
	LeftCompany    Kind = "left_company"    // by somebody who had left
	NotOnStaff     Kind = "not_on_staff"    // by somebody the people file does not know
	TeamOwned      Kind = "team_owned"      // an agent nobody registered, paid by the team's owner
	KeyOwned       Kind = "key_owned"       // the same, paid by the key's owner
	LastEvening    Kind = "last_evening"    // of the month's last hour, delivered in the next month
	DirectCaller   Kind = "direct_caller"   // past the gateway, role known
	DirectExplicit Kind = "direct_explicit" // past the gateway, names its cost centre
	DirectAgent    Kind = "direct_agent"    // past the gateway, names its agent
	DirectUnknown  Kind = "direct_unknown"  // past the gateway, known to nobody
	DirectError    Kind = "direct_error"    // past the gateway, refused by the provider
)

// attempt is one request as the provider saw it. A call that was retried has
// two, a call that the gateway answered has none.
type attempt struct {
	at         time.Time
	requestID  string
	responseID string // only of the Invoke operations
	tokens     tokens
	errorCode  string
	delay      time.Duration // 0: delivered about a minute later
	broken     bool          // its line is cut off
	lost       bool          // its line never arrives
	apart      bool          // its bodies are in files of their own
}

// call is one request of an agent, with everything that either side knows.
type call struct {
	kind       Kind
	at         time.Time // start, UTC, to the microsecond
	took       time.Duration
	trace      string
	id         string // the gateway's call id
	clientRef  string
	replyID    string // id of the response as the gateway logs it
	agent      string
	email      string // as logged; "" without a person
	endUser    string
	team, key  string
	costCenter string // named by the request itself
	caller     string // role ARN
	tools      []string
	toolForm   int // 0 a number, 1 a list, 2 a map
	provider   string
	model      string // as in the rate book
	place      place
	operation  string
	join       join
	outcome    outcome
	gateway    bool // the gateway saw it
	tokens     tokens
	attempts   []attempt
}

func (c *call) bedrock() bool { return c.provider == "bedrock" }

// streams says whether the answer came in parts.
func (c *call) streams() bool { return c.operation == converseStream || c.operation == invokeStream }

// sortCalls puts calls in order of time; ids break ties.
func sortCalls(calls []*call) {
	sort.Slice(calls, func(i, j int) bool {
		if !calls[i].at.Equal(calls[j].at) {
			return calls[i].at.Before(calls[j].at)
		}
		return calls[i].id < calls[j].id
	})
}
