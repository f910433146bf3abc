package sniff

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// Suggestion is a map of fields for records that no format knows, as far as the
// names of their fields tell it. It holds no value of a record.
type Suggestion struct {
	CSV       bool
	Delimiter string            // of CSV: "" for commas, ";" or "tab"
	Records   string            // JSON pointer to the list of records in a page
	Fields    map[string]string // field of ours to pointer or column
	Time      string            // how started_at is written; "" where that can't be told
	TokensIn  string            // inclusive or exclusive; "" where no cache tokens are mapped
	CostUnit  string            // usd, cents or micros; "" where no cost is mapped
	Success   []string          // well-known words of status that mean success
}

// known is how people name a field of ours, without case and signs, the surest
// name first.
type known struct {
	field string
	names []string
}

// wanted lists the fields in the order in which they choose among what is there.
func wanted() []known {
	return []known{
		{"started_at", []string{"startedat", "starttime", "started", "requesttime", "requestedat", "eventtime", "timestamp", "createdat", "created", "datetime", "time", "when", "ts", "date"}},
		{"ended_at", []string{"endedat", "endtime", "ended", "finishedat", "completedat", "responsetime"}},
		{"provider_request_id", []string{"providerrequestid", "upstreamrequestid", "llmrequestid", "xamznrequestid", "awsrequestid", "bedrockrequestid", "xrequestid", "apimrequestid"}},
		{"response_id", []string{"responseid", "completionid", "generationid"}},
		{"agent_request_id", []string{"agentrequestid", "callid", "logid", "uuid", "guid", "id", "eventid", "requestid", "reqid", "correlationid", "messageid"}},
		{"trace_id", []string{"traceid", "conversationid", "sessionid"}},
		{"client_ref", []string{"clientref", "customid", "clientrequestid", "reference"}},
		{"model", []string{"model", "modelname", "modelid", "llm", "deployment", "deploymentname"}},
		{"provider", []string{"provider", "providername", "llmprovider", "vendor"}},
		{"region", []string{"region", "awsregion"}},
		{"input_tokens", []string{"inputtokens", "prompttokens", "inputtokencount", "prompttokencount", "tokensin", "tokensprompt", "tokensinput", "requesttokens", "promptlength"}},
		{"output_tokens", []string{"outputtokens", "completiontokens", "responsetokens", "outputtokencount", "completiontokencount", "tokensout", "tokenscompletion", "tokensoutput", "generatedtokens"}},
		{"cache_read_tokens", []string{"cachereadtokens", "cachereadinputtokens", "cachedtokens", "cachedinputtokens", "tokenscached"}},
		{"cache_write_tokens", []string{"cachewritetokens", "cachewriteinputtokens", "cachecreationtokens", "cachecreationinputtokens"}},
		{"reasoning_tokens", []string{"reasoningtokens", "thinkingtokens"}},
		{"user_email", []string{"useremail", "email", "emailaddress", "usermail", "mail", "requestedby"}},
		{"user_id", []string{"userid", "username", "user", "login", "employeeid"}},
		{"agent_id", []string{"agentid", "agentname", "agent", "appid", "appname", "app", "application", "applicationname", "service", "servicename", "botname"}},
		{"team", []string{"teamname", "team", "teamid", "group", "groupname"}},
		{"project", []string{"projectname", "project", "projectid", "workspace"}},
		{"key_alias", []string{"keyalias", "apikeyalias", "keyname", "apikeyname"}},
		{"tool_calls", []string{"toolcalls", "toolsused", "tools"}},
		{"cache_hit", []string{"cachehit", "fromcache", "cachestatus"}},
		{"reported_cost", []string{"costusd", "totalcostusd", "totalcost", "cost", "spend", "amountusd", "costcents", "costmicros", "costmicrousd", "costincents", "costinmicros"}},
		{"status", []string{"statuscode", "httpstatus", "status", "outcome"}},
		{"error_code", []string{"errorcode", "errortype", "error"}},
	}
}

// successWords are words of status that mean success wherever they stand.
var successWords = []string{"200", "success", "succeeded", "ok", "OK", "Success", "SUCCESS", "completed"}

// plainKey is a name that a program gives: what people write is never repeated.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_.$:@-]{1,64}$`)

const (
	sampled   = 50 // records of which the fields are looked at
	depthMost = 6
)

// leaf is a place of records with a value that is no object.
type leaf struct {
	place  string // JSON pointer or column
	name   string // of its last key, without case and signs
	above  string // with the key before it
	depth  int
	sample []string // values of the first records, "" where there is none
	list   bool
}

// Suggest maps the fields of JSON or CSV by their names; unpacked is its text, of
// which the beginning is read.
func Suggest(unpacked io.Reader) (Suggestion, error) {
	text, err := io.ReadAll(io.LimitReader(unpacked, peekBytes))
	if err != nil {
		return Suggestion{}, err
	}
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), " \t\r\n")
	var s Suggestion
	var leaves []leaf
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		leaves = s.fromJSON(text)
	} else {
		leaves = s.fromCSV(text)
	}
	s.choose(leaves)
	return s, nil
}

func (s *Suggestion) fromJSON(text []byte) []leaf {
	var all []map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for len(all) < sampled {
		var v any
		if err := decoder.Decode(&v); err != nil { // what is broken or cut is for the decoder to tell
			break
		}
		all = append(all, objects(v)...)
	}
	if len(all) == 0 {
		all = objectsOfCut(text)
	}
	if len(all) == 1 {
		if key, list := listOf(all[0]); key != "" {
			s.Records, all = "/"+escaped(key), list
		}
	}
	byPlace := map[string]*leaf{}
	for i, record := range all[:min(len(all), sampled)] {
		walk(record, "", "", 1, func(place, above, name string, depth int, v any) {
			l := byPlace[place]
			if l == nil {
				l = &leaf{place: place, name: bare(name), above: bare(above + name), depth: depth, sample: make([]string, min(len(all), sampled))}
				byPlace[place] = l
			}
			switch v := v.(type) {
			case string:
				l.sample[i] = v
			case json.Number:
				l.sample[i] = v.String()
			case []any:
				l.list = true
			}
		})
	}
	var leaves []leaf
	for _, l := range byPlace {
		leaves = append(leaves, *l)
	}
	return leaves
}

// objects are the records of a JSON text: itself, or the elements of a list.
func objects(v any) (all []map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		all = append(all, v)
	case []any:
		for _, e := range v {
			if o, ok := e.(map[string]any); ok {
				all = append(all, o)
			}
		}
	}
	return all
}

// objectsOfCut are the first records of a list that is longer than what was read.
func objectsOfCut(text []byte) (all []map[string]any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return nil
	}
	for decoder.More() && len(all) < sampled {
		var o map[string]any
		if err := decoder.Decode(&o); err != nil {
			break
		}
		all = append(all, o)
	}
	return all
}

// listOf finds the list of records in a page: the only list of objects of an
// object that has no time of its own.
func listOf(page map[string]any) (key string, list []map[string]any) {
	for _, name := range wanted()[0].names {
		for k := range page {
			if bare(k) == name {
				return "", nil
			}
		}
	}
	for k, v := range page {
		elements, ok := v.([]any)
		if !ok || !plainKey.MatchString(k) {
			continue
		}
		found := objects(elements)
		if len(found) == 0 || len(found) != len(elements) {
			continue
		}
		if key != "" {
			return "", nil
		}
		key, list = k, found
	}
	return key, list
}

func walk(record map[string]any, pointer, above string, depth int, visit func(place, above, name string, depth int, v any)) {
	for key, v := range record {
		if !plainKey.MatchString(key) {
			continue
		}
		place := pointer + "/" + escaped(key)
		if below, ok := v.(map[string]any); ok && depth < depthMost {
			walk(below, place, key, depth+1, visit)
			continue
		}
		visit(place, above, key, depth, v)
	}
}

func escaped(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func (s *Suggestion) fromCSV(text []byte) (leaves []leaf) {
	s.CSV = true
	line, _, _ := bytes.Cut(text, []byte("\n"))
	comma := ','
	for _, c := range ";\t" {
		if bytes.ContainsRune(line, c) && bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(comma))) {
			comma = c
		}
	}
	s.Delimiter = map[rune]string{';': ";", '\t': "tab"}[comma]
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	titles, err := r.Read()
	if err != nil {
		return nil
	}
	for _, title := range titles {
		title = strings.TrimSpace(title)
		leaves = append(leaves, leaf{place: title, name: bare(title), above: bare(title), depth: 1})
	}
	for range sampled {
		row, err := r.Read()
		if err != nil {
			break
		}
		for i := range leaves {
			cell := ""
			if i < len(row) {
				cell = strings.TrimSpace(row[i])
			}
			leaves[i].sample = append(leaves[i].sample, cell)
		}
	}
	return leaves
}

// bare is a name without case and signs.
func bare(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, name)
}

// choose gives each field of ours the place whose name is surest, then the
// shallowest. A place serves one field.
func (s *Suggestion) choose(leaves []leaf) {
	slices.SortFunc(leaves, func(a, b leaf) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.place, b.place))
	})
	s.Fields = map[string]string{}
	chosen := map[string]*leaf{}
	taken := map[string]bool{}
	for _, w := range wanted() {
		for _, name := range w.names {
			i := slices.IndexFunc(leaves, func(l leaf) bool {
				return !taken[l.place] && (l.name == name || l.above == name) && l.may(w.field)
			})
			if i >= 0 {
				s.Fields[w.field], chosen[w.field], taken[leaves[i].place] = leaves[i].place, &leaves[i], true
				break
			}
		}
	}
	// Beside an id of the record itself a request id is most likely the provider's.
	if _, has := s.Fields["provider_request_id"]; !has {
		for i := range leaves {
			if l := &leaves[i]; !taken[l.place] && (l.name == "requestid" || l.name == "reqid") {
				s.Fields["provider_request_id"], taken[l.place] = l.place, true
				break
			}
		}
	}
	if user, has := chosen["user_id"]; has && s.Fields["user_email"] == "" && user.every(func(v string) bool { return strings.Contains(v, "@") }) {
		s.Fields["user_email"] = s.Fields["user_id"]
		delete(s.Fields, "user_id")
	}
	s.units(chosen)
}

// may refuses a place whose values can't be those of a field.
func (l leaf) may(field string) bool {
	switch {
	case l.list:
		return field == "tool_calls"
	case strings.HasSuffix(field, "_tokens"), field == "reported_cost":
		return l.every(plainNumber.MatchString)
	}
	return true
}

// every says whether all values that there are pass.
func (l leaf) every(pass func(v string) bool) bool {
	for _, v := range l.sample {
		if v != "" && !pass(v) && !slices.Contains([]string{"NA", "N/A", "None", "none", "null", "-"}, v) {
			return false
		}
	}
	return true
}

func (s *Suggestion) units(chosen map[string]*leaf) {
	if started := chosen["started_at"]; started != nil {
		s.Time = started.timeForm()
	}
	if ended := chosen["ended_at"]; ended != nil && ended.timeForm() != s.Time {
		delete(s.Fields, "ended_at")
	}
	if cost := chosen["reported_cost"]; cost != nil {
		s.CostUnit = "usd"
		for _, unit := range []string{"cents", "micros"} {
			if strings.Contains(cost.name, unit) || unit == "micros" && strings.Contains(cost.name, "micro") {
				s.CostUnit = unit
			}
		}
	}
	if status := chosen["status"]; status != nil {
		for _, word := range successWords {
			if slices.Contains(status.sample, word) {
				s.Success = append(s.Success, word)
			}
		}
		if len(s.Success) == 0 {
			delete(s.Fields, "status")
		}
	}
	input, read, written := chosen["input_tokens"], chosen["cache_read_tokens"], chosen["cache_write_tokens"]
	if input == nil || read == nil && written == nil {
		if input == nil {
			delete(s.Fields, "cache_read_tokens")
			delete(s.Fields, "cache_write_tokens")
		}
		return
	}
	// A prompt that holds less than its cache's part can't hold it.
	s.TokensIn = "inclusive"
	if strings.HasPrefix(input.name, "input") && (read != nil && strings.Contains(read.name, "cacheread") || written != nil && strings.Contains(written.name, "creation")) {
		s.TokensIn = "exclusive"
	}
	for i := range input.sample {
		part := new(big.Rat)
		for _, l := range []*leaf{read, written} {
			if l != nil {
				part.Add(part, number(l.sample[i]))
			}
		}
		if all := number(input.sample[i]); all.Sign() >= 0 && part.Cmp(all) > 0 {
			s.TokensIn = "exclusive"
		}
	}
}

// plainNumber is short: one with a long exponent takes for ever to count with.
var plainNumber = regexp.MustCompile(`^-?[0-9]{1,18}(\.[0-9]{0,18})?$`)

func number(text string) *big.Rat {
	if plainNumber.MatchString(text) {
		if n, ok := new(big.Rat).SetString(strings.TrimSuffix(text, ".")); ok {
			return n
		}
	}
	return new(big.Rat)
}

// timeForms are the ways of writing times that can be told apart, the pattern
// for what of them the settings call it.
var timeForms = []struct{ shape, name string }{
	{`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}.*`, "rfc3339"},
	{`[0-9]{9,10}(\.[0-9]+)?`, "unix"},
	{`[0-9]{12,13}`, "unix_ms"},
	{`[0-9]{15,16}`, "unix_us"},
	{`63[0-9]{16}`, "ticks"},
	{`1[0-9]{18}`, "unix_ns"},
	{`[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}`, "yyyy/MM/dd HH:mm:ss"},
	{`[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}`, "yyyy-MM-dd HH:mm"},
	{`[0-9]{2}\.[0-9]{2}\.[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}`, "dd.MM.yyyy HH:mm:ss"},
	{`[0-9]{2}\.[0-9]{2}\.[0-9]{4} [0-9]{2}:[0-9]{2}`, "dd.MM.yyyy HH:mm"},
	{`(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AaPp][Mm]`, "M/d/yyyy h:mm:ss a"},
	{`(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2} [AaPp][Mm]`, "M/d/yyyy h:mm a"},
	{`(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2}`, "M/d/yyyy H:mm:ss"},
	{`[0-9]{1,2}/(0?[1-9]|1[0-2])/[0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2}`, "d/M/yyyy H:mm:ss"},
}

// timeForm tells how times are written, "" where that can't be told.
func (l leaf) timeForm() string {
	for _, form := range timeForms {
		shape := regexp.MustCompile("^" + form.shape + "$")
		if slices.ContainsFunc(l.sample, shape.MatchString) && l.every(shape.MatchString) {
			return form.name
		}
	}
	return ""
}
