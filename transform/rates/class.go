package rates

// Class is what has a unit price of its own: a kind of token, a request or a
// search.
type Class int

// The classes. Input is fresh text; reasoning, audio and image tokens are parts
// of the class that Parent names, and are priced instead of it, not besides.
const (
	Input Class = iota
	CacheRead
	CacheWrite5m
	CacheWrite1h
	Output
	Reasoning
	InputAudio
	InputImage
	CacheReadAudio
	OutputAudio
	OutputImage
	Request // the provider's own fee for a request
	Search  // a web search that the provider ran
	classCount
)

var classNames = [classCount]string{
	"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "input_audio", "input_image", "cache_read_audio", "output_audio", "output_image", "request", "search",
}

// String is the class's name in the book.
func (c Class) String() string { return classNames[c] }

// Classes lists all classes in order.
func Classes() []Class {
	all := make([]Class, classCount)
	for i := range all {
		all[i] = Class(i)
	}
	return all
}

// parents says whose price a class has that has none of its own. Where the
// parent has none either, its parent's counts. A class that is its own parent
// has none.
var parents = [classCount]Class{
	CacheRead: Input, CacheWrite5m: Input, CacheWrite1h: CacheWrite5m, Reasoning: Output, InputAudio: Input, InputImage: Input,
	CacheReadAudio: CacheRead, OutputAudio: Output, OutputImage: Output, Input: Input, Output: Output, Request: Request, Search: Search,
}

// cached says that a class is a part of prompt caching.
func (c Class) cached() bool {
	return c == CacheRead || c == CacheWrite5m || c == CacheWrite1h || c == CacheReadAudio
}

// tokens says that a class counts tokens.
func (c Class) tokens() bool { return c != Request && c != Search }

// Units are unit prices in pico-dollars (10^-12 USD) of the classes that have
// one of their own.
type Units map[Class]int64

func (u Units) has(class Class) bool { _, is := u[class]; return is }
