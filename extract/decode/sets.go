package decode

import (
	"encoding/json"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"
)

// Sets is what a format has beside Format whose objects count in sets: each set
// is replaced as a whole, by a manifest that is written behind its objects.
type Sets interface {
	// SetOf names the set that an object belongs to, "" for none, and says
	// whether it is a manifest of that set or one of its objects; it may be
	// neither.
	SetOf(key string) (set string, kind SetKind)
	// Listed reads the names of a set's objects from a manifest. A name may have
	// more in front than the object's key.
	Listed(manifest io.Reader) ([]string, error)
}

// SetKind is what an object is to its set.
type SetKind uint8

// The kinds.
const (
	SetNothing  SetKind = iota // it says nothing of the set
	SetObject                  // one of the set's objects
	SetManifest                // a list of the set's objects
)

// billFormat is a format of AWS data exports, of which each billing month is a
// set.
type billFormat struct{ totalsFormat }

// billFolder is the folder of a billing month in an AWS data export. What
// follows it may be the folder of one delivery.
var billFolder = regexp.MustCompile(`^(|.*/)(data|metadata)/(?i:BILLING_PERIOD)=([0-9]{4}-[0-9]{2})/(.+)$`)

// SetOf implements Sets.
func (*billFormat) SetOf(key string) (set string, kind SetKind) {
	m := billFolder.FindStringSubmatch(key)
	if m == nil {
		return "", SetNothing
	}
	set, name := m[1]+"BILLING_PERIOD="+m[3], path.Base(m[4])
	switch {
	case m[2] == "data":
		return set, SetObject
	case strings.HasSuffix(name, "Manifest.json"):
		return set, SetManifest
	}
	return set, SetNothing
}

// Listed implements Sets.
func (*billFormat) Listed(manifest io.Reader) ([]string, error) {
	var m struct {
		DataFiles  *[]string `json:"dataFiles"`
		ReportKeys *[]string `json:"reportKeys"`
	}
	if json.NewDecoder(manifest).Decode(&m) != nil {
		return nil, errors.New("the manifest is not the JSON that it should be; wait for the next delivery, or export again")
	}
	for _, list := range []*[]string{m.DataFiles, m.ReportKeys} {
		if list != nil {
			return *list, nil
		}
	}
	return nil, errors.New("the manifest has no dataFiles; is this source really an AWS data export?")
}
