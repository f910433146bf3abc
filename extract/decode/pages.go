package decode

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chargeback/extract/decode/jsonscan"
)

// pageTold is what a page says of the whole that it is a part of.
type pageTold struct {
	shown int64  // records in it
	more  string // the field that says that more follow; "" where none does
	total int64  // records of the whole, by the field totalBy; 0 is not told
	start int64  // place of its first record, from 1; 0 is not told
	pages int64  // of how many pages it is one; 0 is not told

	totalBy string
}

// What pages call these things, without case, _ and -: OData, SCIM, and the APIs
// of Okta, Google and Workday. Within the containers the same names count.
var (
	moreFields = []string{
		"@odata.nextlink", "odata.nextlink", "nextlink", "nextpagetoken", "nextpage", "nextpageurl", "nextcursor", "nexttoken", "nexturl", "nextoffset", "next", "skiptoken",
		"hasmore", "hasnext", "hasnextpage", "morepages", "moreresults", "truncated", "istruncated",
	}
	totalFields     = []string{"totalresults", "@odata.count", "odata.count", "total", "totalcount", "totalitems", "totalrecords", "totalsize", "totalusers"}
	startFields     = []string{"startindex"}
	pageCountFields = []string{"totalpages", "pagecount"}
	pageContainers  = []string{"links", "link", "paging", "pagination", "meta", "metadata", "page", "pageinfo"}
)

// readPage reads what stands around the list of a page.
func readPage(around []byte, shown int64) pageTold {
	told := pageTold{shown: shown}
	told.read("", around)
	return told
}

func (t *pageTold) read(before string, object []byte) {
	_ = jsonscan.EachMember(object, func(key []byte, v jsonscan.Value) error { // what is broken was refused before
		name := title(string(key))
		switch {
		case slices.Contains(moreFields, name) && saysMore(v):
			t.more = before + string(key)
		case slices.Contains(totalFields, name):
			if n := countIn(v); n > t.total {
				t.total, t.totalBy = n, before+string(key)
			}
		case slices.Contains(startFields, name):
			t.start = countIn(v)
		case slices.Contains(pageCountFields, name):
			t.pages = countIn(v)
		case before != "" || !slices.Contains(pageContainers, name):
		case v.Kind == jsonscan.Object:
			t.read(string(key)+".", v.Raw)
		case v.Kind == jsonscan.Array: // [{"rel": "next", "href": "..."}]
			if bytes.Contains(bytes.ReplaceAll(bytes.ToLower(v.Raw), []byte(" "), nil), []byte(`"rel":"next"`)) {
				t.more = string(key) + " next"
			}
		}
		return nil
	})
}

// saysMore says that a field such as nextLink leads somewhere.
func saysMore(v jsonscan.Value) bool {
	switch v.Kind {
	case jsonscan.True:
		return true
	case jsonscan.String:
		s := name(v)
		return len(s) > 0 && !bytes.EqualFold(s, []byte("false"))
	case jsonscan.Number:
		return string(v.Raw) != "0" && v.Raw[0] != '-'
	case jsonscan.Object: // {"href": "..."}
		more := false
		_ = jsonscan.EachMember(v.Raw, func(_ []byte, inner jsonscan.Value) error {
			more = more || inner.Kind == jsonscan.String && len(name(inner)) > 0
			return nil
		})
		return more
	}
	return false
}

// countIn is the whole number that a field holds, or 0.
func countIn(v jsonscan.Value) int64 {
	if v.Kind != jsonscan.String && v.Kind != jsonscan.Number {
		return 0
	}
	n, err := strconv.ParseInt(string(name(v)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// wholeSet says whether pages that follow each other in one file reach the end
// of what they are parts of. Who stands on a page that isn't there would count as
// gone.
func wholeSet(pages []pageTold) error {
	if len(pages) == 0 {
		return nil
	}
	const remedy = "fetch all pages into one file, one behind the other, because who is missing would count as gone"
	if last := pages[len(pages)-1]; last.more != "" {
		return fmt.Errorf("it is a part of the people: %s says that another page follows; %s", last.more, remedy)
	}
	most := slices.MaxFunc(pages, func(a, b pageTold) int { return cmp.Compare(a.total, b.total) })
	if n := reached(pages); n < most.total {
		return fmt.Errorf("it is a part of the people: %s says that there are %d, and it shows %d; %s", most.totalBy, most.total, n, remedy)
	}
	if last := pages[len(pages)-1]; last.pages > int64(len(pages)) {
		return fmt.Errorf("it is a part of the people: it says that there are %d pages, and it holds %d; %s", last.pages, len(pages), remedy)
	}
	return nil
}

// reached is how many records pages show without a gap, by the places that they
// tell, else together.
func reached(pages []pageTold) (n int64) {
	placed := slices.Clone(pages)
	slices.SortStableFunc(placed, func(a, b pageTold) int { return cmp.Compare(a.start, b.start) })
	if placed[0].start == 0 {
		for _, p := range pages {
			n += p.shown
		}
		return n
	}
	for _, p := range placed {
		if p.start <= n+1 {
			n = max(n, p.start-1+p.shown)
		}
	}
	return n
}

// pageAroundMax bounds what stands behind the list of a page: its fields are few.
const pageAroundMax = 1 << 20

// around adds a byte behind the list; what is too long to be a page's own
// fields is an error.
func (p *pageReader) around(c byte) error {
	if len(p.fields) >= pageAroundMax {
		return fmt.Errorf("what stands behind the list %s is longer than %d bytes, so it can't be told whether more follow; export the people alone", p.key, pageAroundMax)
	}
	p.fields = append(p.fields, c)
	return nil
}

// isPages says that a list begins with a page: then it is pages that it lists.
func isPages(list []byte, key string) bool {
	first := strings.TrimLeft(string(list[1:min(len(list), 64)]), " \t\r\n")
	if !strings.HasPrefix(first, "{") {
		return false
	}
	at := bytes.IndexByte(list, '{')
	return pageHead(list[at:], key) >= 0
}
