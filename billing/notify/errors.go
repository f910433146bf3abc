package notify

import "time"

// Outcome is what is known of a message that could not be delivered.
type Outcome int

const (
	// Unknown: the medium may have taken the message. It stays in Sending.
	Unknown Outcome = iota
	// NotSent: the medium did not take it; a later try may succeed.
	NotSent
	// Refused: the medium did not take it, and will not before somebody has mended
	// the cause.
	Refused
)

// SendError is a failed Send or Find. Its text holds no address, no token and
// no content, so that it may be stored and logged.
type SendError struct {
	Outcome Outcome
	Reason  string // what was tried and what came back
	Fix     string // what the operator can do; may be empty
	Err     error  // cancellation or deadline, if that was the cause
	// RetryAfter is how long the medium asks to be left alone; 0 where it does not.
	RetryAfter time.Duration
	// Down says that the medium failed on its side: HTTP 5xx.
	Down bool
	// Hung says that the medium did not answer in time.
	Hung bool
}

// Error says what went wrong and ends with what to do.
func (e *SendError) Error() string {
	if e.Fix == "" {
		return e.Reason
	}
	return e.Reason + "; " + e.Fix
}

// Unwrap gives the context's error where the walk was cut short.
func (e *SendError) Unwrap() error { return e.Err }
