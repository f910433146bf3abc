package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// PersonOptions names the fields or columns that hold what is needed of a
// person, where they are not those that the format itself names. In each list
// the first that holds something counts. A field is a dotted path, or of a SCIM
// extension its URN with the attribute behind it; a column is its title.
// Capitals don't count, and of a title neither do blanks, _ and -.
type PersonOptions struct {
	Email      []string
	Department []string
	CostCenter []string
	ValidFrom  []string // since when the rest holds, where the export tells
	Aliases    []string // other names of the person; all that hold something count
}

// personShape is where a format keeps what is needed of a person, in JSON and
// in CSV.
type personShape struct {
	list   string // the key of a page under which its persons stand
	person PersonOptions
	active []string // an account that is switched off has no, 0 or another word of offWord here
	gone   []string // an account that is switched off has yes or 1 here
	ended  []string // day from which the person no longer counts
	// address makes an address of what stands for one, "" of what is none; nil
	// leaves it.
	address func(string) string
	// aliases gives the names that a text of Aliases holds; nil is listedNames.
	aliases func(string) []string
}

// Snapshot reads exports that say how things stood on one day: who there was,
// in which department and cost centre. It reads JSON (a page, a list, or one
// object after the other) and CSV, told by content.
//
// A row is one person, by address. Who has none can't be named by a request,
// and whose account is switched off counts as gone: both are of no concern. A
// row may lack the department or the cost centre, but not those of all
// persons: then the fields are the wrong ones. An object without a single row,
// one that breaks off, or one that says itself that it is a part counts
// nothing, since all that it doesn't show would count as gone.
type Snapshot struct {
	name  string
	shape personShape
	spec  *jsonscan.Spec
	at    personFields
	named map[int]string // what a field of Aliases is called
}

// Snapshots are the names of the formats that NewSnapshot knows.
func Snapshots() []string { return []string{SCIMName, EntraName, OktaName, WorkdayName, GoogleName} }

// NewSnapshot returns the format of that name. Lists in o that aren't empty
// stand in for the format's own.
func NewSnapshot(name string, o PersonOptions) (*Snapshot, error) {
	shapes := map[string]personShape{SCIMName: scimShape, EntraName: entraShape, OktaName: oktaShape, WorkdayName: workdayShape, GoogleName: googleShape}
	shape, ok := shapes[name]
	if !ok {
		return nil, fmt.Errorf("%q is not a format of people snapshots; use %s", name, strings.Join(Snapshots(), ", "))
	}
	for _, list := range []struct{ own, other *[]string }{
		{&shape.person.Email, &o.Email}, {&shape.person.Department, &o.Department}, {&shape.person.CostCenter, &o.CostCenter}, {&shape.person.ValidFrom, &o.ValidFrom},
		{&shape.person.Aliases, &o.Aliases},
	} {
		if len(*list.other) > 0 {
			*list.own = *list.other
		}
	}
	s := &Snapshot{name: name, shape: shape}
	var f fields
	s.at = personFields{
		f.folded(shape.person.Email), f.folded(shape.person.Department), f.folded(shape.person.CostCenter), f.folded(shape.person.ValidFrom),
		f.folded(shape.active), f.folded(shape.gone), f.folded(shape.ended), f.folded(shape.person.Aliases),
	}
	s.named = map[int]string{}
	for _, n := range shape.person.Aliases {
		s.named[f.folded([]string{n})[0]] = record.NameField(n)
	}
	var err error
	s.spec, err = jsonscan.Compile(f.paths)
	return s, err
}

// folded adds paths whose keys ignore case.
func (f *fields) folded(names []string) (indexes []int) {
	for _, n := range names {
		var path jsonscan.Path
		if colon := strings.LastIndexByte(n, ':'); colon >= 0 && strings.HasPrefix(strings.ToLower(n), "urn:") {
			path, n = append(path, n[:colon]), n[colon+1:]
		}
		path = append(path, jsonscan.ParsePath(n)...)
		for i, key := range path {
			if key != "[0]" && key != "" {
				path[i] = strings.ToLower(key) + "~"
			}
		}
		if i := f.path(path); !slices.Contains(indexes, i) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// Name implements Format.
func (s *Snapshot) Name() string { return s.name }

// Schema implements Format.
func (s *Snapshot) Schema() *record.Schema { return record.PeopleSchema }

// Decoder implements Format.
func (s *Snapshot) Decoder(env Env) Decoder {
	d := &snapshotDecoder{format: s, env: env, address: jsonscan.NewScanner(mustCompile("value", "address", "primary", "type"))}
	d.json = newJSONDecoder(env, s.spec, d.object)
	d.json.look = d.look
	return d
}

// personFields are the places of a person's fields: in scanned values, or in
// the cells of a row.
type personFields struct {
	email, department, costCenter, validFrom, active, gone, ended, aliases []int
}

type snapshotDecoder struct {
	format  *Snapshot
	env     Env
	json    *jsonDecoder
	address *jsonscan.Scanner // of an element of a list of addresses
	date    int64             // of the snapshot
	named   bool              // somebody has an address
	placed  bool              // somebody has a department or a cost centre
	last    int64             // line of the last record that could be read
	names   record.NameList   // other names of the person that is read
	self    []byte            // the person's address
	scratch []byte            // a name in its normal form
	present presentNames      // fields or columns that are there

	columnNames map[int]string // what a column of Aliases is called
}

// Decode implements Decoder.
func (d *snapshotDecoder) Decode(r io.Reader, sink *Sink) error {
	d.date, _ = SnapshotDay(sink.Origin(), d.env.Zone)
	d.named, d.placed, d.last, d.present = false, false, 0, presentNames{}
	in := bufio.NewReaderSize(r, pageHeadBytes)
	kind, err := contentKind(in)
	if err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	if kind == '{' || kind == '[' {
		err = d.objects(in, sink)
	} else {
		err = d.table(in, sink)
	}
	counts, _ := sink.End()
	wanted := &d.format.shape.person
	switch {
	case err != nil:
		return err
	case !d.named && counts.Ignored > 0:
		return fmt.Errorf("nobody in it has an address (%s); %s; name yours as fields.email of the source", choices(wanted.Email), &d.present)
	case counts.Rows == 0:
		return fmt.Errorf("it shows nobody (%d rejected, %d switched off or without an address), and everybody would count as gone; export it again, or name the fields under fields of the source", counts.Rejected, counts.Ignored)
	case !d.placed:
		return fmt.Errorf("nobody in it has a department (%s) or a cost centre (%s); %s; export them too, or name yours under fields of the source", choices(wanted.Department), choices(wanted.CostCenter), &d.present)
	}
	return nil
}

// contentKind peeks at the first character that counts.
func contentKind(in *bufio.Reader) (byte, error) {
	head, err := in.Peek(in.Size())
	if err != nil && err != io.EOF {
		return 0, err
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return 0, errors.New("the file is UTF-16; save it as UTF-8")
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 {
		return 0, nil
	}
	return head[0], nil
}

// objects reads JSON.
func (d *snapshotDecoder) objects(in *bufio.Reader, sink *Sink) error {
	pages := &pageReader{in: in, key: d.format.shape.list}
	if err := d.json.Decode(pages, sink); err != nil {
		return err
	}
	_, rejects := sink.End()
	if n := len(rejects); n > 0 && rejects[n-1].Reason == jsonscan.ErrShort.Error() && rejects[n-1].Line > d.last {
		return fmt.Errorf("line %d: %w", rejects[n-1].Line, errBreaksOff)
	}
	return wholeSet(pages.told)
}

// object takes one person of JSON.
func (d *snapshotDecoder) object(v []jsonscan.Value, line int64, sink *Sink) error {
	d.last = line
	at := &d.format.at
	first := func(indexes []int) []byte {
		for _, i := range indexes {
			if s := d.textOf(v[i]); len(s) > 0 {
				return s
			}
		}
		return nil
	}
	p := shown{nil, first(at.department), first(at.costCenter), first(at.validFrom), first(at.ended), false}
	for _, i := range at.email {
		if p.email = d.addressOf(v[i]); len(p.email) > 0 {
			break
		}
	}
	d.begin(p.email)
	for _, i := range at.aliases {
		d.addNames(v[i], d.format.named[i])
	}
	for _, i := range at.active {
		p.off = p.off || v[i].Kind == jsonscan.False || offWord(d.textOf(v[i]))
	}
	for _, i := range at.gone {
		p.off = p.off || v[i].Kind == jsonscan.True || onWord(d.textOf(v[i]))
	}
	return d.take(&p, line, sink)
}

// textOf is name, and of a list its primary element, else its first.
func (d *snapshotDecoder) textOf(v jsonscan.Value) []byte {
	if v.Kind == jsonscan.Array {
		return d.primary(v.Raw, func(text []byte) []byte { return text })
	}
	return name(v)
}

// addressOf is textOf for an address.
func (d *snapshotDecoder) addressOf(v jsonscan.Value) []byte {
	if v.Kind == jsonscan.Array {
		return d.primary(v.Raw, d.format.addressIn)
	}
	return d.format.addressIn(name(v))
}

// addressIn makes an address of a text by the format's rule.
func (s *Snapshot) addressIn(text []byte) []byte {
	if s.shape.address == nil || len(text) == 0 {
		return text
	}
	return []byte(s.shape.address(string(text)))
}

// primary is the element of a list that is marked as primary, else one of the
// type work, else the first that holds a text. One of the type home is never
// taken: it is no address of the company's. Elements are texts, or objects with
// value or address. as makes of a text what counts.
func (d *snapshotDecoder) primary(list []byte, as func([]byte) []byte) (found []byte) {
	const other, work, chosen = 1, 2, 3
	best := 0
	d.eachText(list, func(text, kind []byte, primary bool) {
		rank := other
		switch {
		case bytes.EqualFold(kind, []byte("home")):
			return
		case primary:
			rank = chosen
		case bytes.EqualFold(kind, []byte("work")):
			rank = work
		}
		if text = as(text); len(text) > 0 && rank > best {
			found, best = bytes.Clone(text), rank
		}
	})
	return found
}

// eachText calls do for the texts of a list, with the type that stands beside
// each and whether it is marked as primary.
func (d *snapshotDecoder) eachText(list []byte, do func(text, kind []byte, primary bool)) {
	_ = jsonscan.Each(list, func(element []byte) error { // a broken list has what stands before
		if element[0] != '{' {
			if v, err := jsonscan.ValueOf(element); err == nil {
				do(name(v), nil, false)
			}
			return nil
		}
		if _, err := d.address.Scan(element); err != nil {
			return nil
		}
		v := d.address.Values
		do(firstName(v, []int{0, 1}), name(v[3]), v[2].Kind == jsonscan.True || onWord(name(v[2])))
		return nil
	})
}

// offWord says that a word tells that an account is switched off.
func offWord(s []byte) bool {
	switch string(bytes.ToLower(s)) {
	case "false", "0", "no", "n", "suspended", "deprovisioned", "archived", "deleted", "disabled", "inactive", "terminated":
		return true
	}
	return false
}

func onWord(s []byte) bool {
	switch string(bytes.ToLower(s)) {
	case "true", "1", "yes", "y":
		return true
	}
	return false
}

// shown is what an export shows of one person, as it stands there.
type shown struct {
	email, department, costCenter, validFrom, ended []byte
	off                                             bool
}

// begin starts with the names of a person with an address.
func (d *snapshotDecoder) begin(address []byte) {
	d.names.Reset()
	d.self = email(address)
}

// take stages what is shown of a person.
func (d *snapshotDecoder) take(p *shown, line int64, sink *Sink) error {
	if len(p.ended) > 0 {
		end, err := exportDay(p.ended, d.format.shape.ended[0])
		if err != nil {
			return err
		}
		p.off = p.off || end <= d.date
	}
	d.named = d.named || len(p.email) > 0
	if p.off || len(p.email) == 0 {
		sink.Ignore()
		return nil
	}
	person := record.Person{
		Email: d.self, Department: p.department, CostCenter: p.costCenter,
		ValidFrom: d.date, ValidTo: openEnd, Snapshot: d.date, HasSnapshot: true,
	}
	if len(p.validFrom) > 0 {
		from, err := exportDay(p.validFrom, "valid_from")
		if err != nil {
			return err
		}
		person.ValidFrom = min(from, d.date)
	}
	d.placed = d.placed || len(p.department)+len(p.costCenter) > 0
	d.names.Join(func(part []byte) { // a row of its own where there are more names than fit into one
		person.Names = part
		sink.Person(&person, line)
	})
	return nil
}

// exportDay reads a date as exports write it: 2026-10-31 or 2026/10/31, with or
// without a time or an offset behind it.
func exportDay(s []byte, field string) (int64, error) {
	text := strings.ReplaceAll(string(s[:min(len(s), 10)]), "/", "-")
	return day(text, field)
}

// SnapshotDay is the day of which a version of an object tells, as days since
// 1970-01-01: the last date in its key (2026-11-20, 20261120, 2026/11/20 or
// year=2026/month=11/day=20), else the day in the zone on which the version
// was written. named says that it is the key's.
func SnapshotDay(o Origin, zone *time.Location) (date int64, named bool) {
	for end := len(o.Key); end >= 8; end-- {
		if date, ok := dateEnding(o.Key[:end], o.Key[end:]); ok {
			return date, true
		}
	}
	at := o.Modified.In(zone)
	return daysFromCivil(at.Year(), int(at.Month()), at.Day()), false
}

// dateEnding reads the date that a text ends with; behind is what follows it.
func dateEnding(s, behind string) (int64, bool) {
	day, ok := cutDigits(&s, 2)
	if !ok || isDigit(behind, 0) && !clockDigits(behind) {
		return 0, false
	}
	between := cutSeparator(&s, "day=")
	month, ok := cutDigits(&s, 2)
	if !ok || cutSeparator(&s, "month=") != between {
		return 0, false
	}
	year, ok := cutDigits(&s, 4)
	if !ok || !strings.HasPrefix(year, "20") || isDigit(s, len(s)-1) {
		return 0, false
	}
	t, err := time.Parse("20060102", year+month+day)
	if err != nil {
		return 0, false
	}
	return daysFromCivil(t.Year(), int(t.Month()), t.Day()), true
}

// clockDigits says that what follows a date is the time of day, in 4 or 6
// digits.
func clockDigits(s string) bool {
	n := 0
	for isDigit(s, n) {
		n++
	}
	return n == 4 || n == 6
}

func isDigit(s string, i int) bool { return i >= 0 && i < len(s) && s[i]-'0' <= 9 }

// cutDigits takes n digits off the end.
func cutDigits(s *string, n int) (string, bool) {
	at := len(*s) - n
	if at < 0 {
		return "", false
	}
	digits := (*s)[at:]
	for i := range n {
		if !isDigit(digits, i) {
			return "", false
		}
	}
	*s = (*s)[:at]
	return digits, true
}

// cutSeparator takes off what parts two parts of a date: nothing, -, _, / or /
// with a label behind it.
func cutSeparator(s *string, label string) string {
	if rest, ok := strings.CutSuffix(*s, "/"+label); ok {
		*s = rest
		return "/"
	}
	for _, separator := range []string{"-", "_", "/"} {
		if rest, ok := strings.CutSuffix(*s, separator); ok {
			*s = rest
			return separator
		}
	}
	return ""
}

// title is the form in which titles of columns are compared: without case,
// blanks, _ and -, and without what Google writes in brackets behind.
func title(s string) string {
	if i := strings.LastIndexByte(s, '['); i > 0 && strings.HasSuffix(strings.TrimSpace(s), "]") {
		s = s[:i]
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t_-", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// cellText is what a cell says: a name, out of the ="00420" with which
// spreadsheets are kept from dropping zeros.
func cellText(s string) []byte {
	s = strings.TrimSpace(s)
	if inner, ok := strings.CutPrefix(s, `="`); ok && strings.HasSuffix(inner, `"`) {
		s = inner[:len(inner)-1]
	}
	return name(jsonscan.Value{Kind: jsonscan.String, Raw: []byte(s)})
}

// table reads CSV.
func (d *snapshotDecoder) table(in *bufio.Reader, sink *Sink) error {
	rows := tableReader{in: in, max: d.env.RecordBytes}
	var at personFields
	width := 0
	for {
		cells, line, err := rows.next()
		switch {
		case err == io.EOF && width == 0:
			return errors.New("the file is empty; its first line must be the titles of the columns")
		case err == io.EOF:
			return nil
		case errors.Is(err, errQuotes) && width > 0:
			sink.Reject(line, err.Error())
		case err != nil:
			return fmt.Errorf("line %d: %w", line, err)
		case width == 0:
			if at, err = d.columns(cells); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			width = len(cells)
		case len(cells) > width:
			sink.Reject(line, "the row has more cells than the header")
		default:
			if err := d.row(cells, &at, line, sink); err != nil {
				sink.Reject(line, err.Error())
			}
		}
	}
}

// columns finds the columns by their titles.
func (d *snapshotDecoder) columns(cells []string) (at personFields, err error) {
	places := map[string]int{}
	for i, c := range cells {
		if _, twice := places[title(c)]; !twice {
			places[title(c)] = i
		}
	}
	find := func(names []string) (found []int) {
		for _, n := range names {
			if i, ok := places[title(n)]; ok && !slices.Contains(found, i) {
				found = append(found, i)
			}
		}
		return found
	}
	o := d.format.shape.person
	at = personFields{find(o.Email), find(o.Department), find(o.CostCenter), find(o.ValidFrom), find(d.format.shape.active), find(d.format.shape.gone), find(d.format.shape.ended), find(o.Aliases)}
	d.columnNames = map[int]string{}
	for _, n := range o.Aliases {
		if i, ok := places[title(n)]; ok && d.columnNames[i] == "" {
			d.columnNames[i] = record.NameField(n)
		}
	}
	d.present.titles(cells)
	switch {
	case len(at.email) == 0:
		return at, fmt.Errorf("there is no column of the address (%s); %s; name yours as fields.email of the source", choices(o.Email), &d.present)
	case len(at.department)+len(at.costCenter) == 0:
		return at, fmt.Errorf("there is no column of a department (%s) or cost centre (%s); %s; name yours under fields of the source", choices(o.Department), choices(o.CostCenter), &d.present)
	}
	return at, nil
}

// row takes one person of CSV.
func (d *snapshotDecoder) row(cells []string, at *personFields, line int64, sink *Sink) error {
	bad := ""
	first := func(field string, indexes []int) []byte {
		for _, i := range indexes {
			if i >= len(cells) {
				continue
			}
			if s := cellText(cells[i]); len(s) > 0 {
				if !utf8.Valid(s) {
					bad = field
				}
				return s
			}
		}
		return nil
	}
	p := shown{nil, first("department", at.department), first("cost_center", at.costCenter), first("valid_from", at.validFrom), first("end", at.ended), false}
	for _, i := range at.email {
		if p.email = d.format.addressIn(first("email", []int{i})); len(p.email) > 0 {
			break
		}
	}
	d.begin(p.email)
	for _, i := range at.aliases {
		if i < len(cells) {
			d.addText(d.columnNames[i], cellText(cells[i]))
		}
	}
	if bad != "" {
		return &FieldError{bad, "is not valid UTF-8; save the file as UTF-8"}
	}
	p.off = offWord(first("status", at.active)) || onWord(first("status", at.gone))
	return d.take(&p, line, sink)
}
