package demo

import "time"

// Days on which the provider's writer does something unusual.
const (
	twiceDay  = 9  // one object delivered a second time under another key
	memberDay = 17 // one object written as several gzip members
	bodiesDay = 6  // a record's bodies in files of their own, a mark in an hour's folder
)

// bedrockFiles adds everything that stands in the accounts' log folders.
func (b *builder) bedrockFiles() {
	r := newRandom(b.month.name + "bedrock files")
	var again []byte // a line that the next object of its place repeats
	var twice, members bool
	for _, o := range objects(b.calls) {
		day := b.month.businessDay(o.lines[0].attempt.at)
		key, parts := o.key(r), o.parts()
		if again != nil && o.place == prodEU && o.late() == 0 {
			parts[0] = append(parts[0], again...)
			again = nil
			b.sum.Bedrock.RepeatedLines++
		}
		if l := o.repeats(); l != nil {
			again = l.text()
		}
		if !members && day >= memberDay && len(o.lines) >= 4 && o.late() == 0 {
			members, parts = true, o.halves()
			b.sum.Bedrock.MultiMemberObjects++
		}
		b.files.add(key, b.zipper.zip(parts...))
		b.countObject(o, key)
		if !twice && day >= twiceDay && len(o.lines) >= 5 && o.late() == 0 {
			twice = true
			o.delivered = o.delivered.Add(2 * time.Minute)
			b.files.add(o.key(r), b.zipper.zip(parts...))
			b.sum.Bedrock.Objects++
			b.sum.Bedrock.RepeatedObjects++
			b.sum.Bedrock.RepeatedLines += len(o.lines)
		}
	}
	b.skippedFiles()
}

// parts is the object's content as one gzip member.
func (o object) parts() [][]byte {
	var all []byte
	for _, l := range o.lines {
		all = append(all, l.text()...)
	}
	return [][]byte{all}
}

// halves is the object's content as two members.
func (o object) halves() [][]byte {
	half := len(o.lines) / 2
	first, second := o, o
	first.lines, second.lines = o.lines[:half], o.lines[half:]
	return append(first.parts(), second.parts()...)
}

// repeats is the line of the object that is delivered once more, or nil.
func (o object) repeats() *line {
	for i, l := range o.lines {
		if l.call.kind == RepeatedUsage {
			return &o.lines[i]
		}
	}
	return nil
}

// late is by how much more than a minute the object was delivered late.
func (o object) late() time.Duration { return o.lines[0].attempt.delay }

// countObject keeps the truth about one delivered object.
func (b *builder) countObject(o object, key string) {
	n := &b.sum.Bedrock
	n.Objects++
	delivered := o.delivered.UTC()
	for _, l := range o.lines {
		b.where[l.attempt.requestID] = key
		if l.bodies != "" {
			b.files.add(l.bodies+"_input.json.gz", b.zipper.zip(mustJSON(l.call.requestBody())))
			b.files.add(l.bodies+"_output.json.gz", b.zipper.zip(mustJSON(l.call.responseBody(l.attempt))))
			n.SkippedObjects += 2
		}
		at := l.attempt.at.UTC()
		switch {
		case l.attempt.broken:
			n.BrokenLines++
			continue
		case l.attempt.errorCode != "":
			n.Errors++
		case l.call.model == unpriced:
			n.UnknownModel++
		}
		n.Records++
		if at.Day() != delivered.Day() {
			n.NextDayFolder++
		}
		if at.Month() != delivered.Month() {
			n.NextMonthFolder++
		}
		if at.Day() == delivered.Day() && at.Hour() != delivered.Hour() {
			n.NextHourFolder++
		}
	}
}

// skippedFiles adds the marks by which the service tried whether it may write.
func (b *builder) skippedFiles() {
	for _, p := range []place{prodEU, prodUS, dataEU, dataUS} {
		b.files.add(p.folder()+"amazon-bedrock-logs-permission-check", nil)
		b.sum.Bedrock.SkippedObjects++
	}
	hour := b.month.local(bodiesDay, 12, 0, 0).Format(hourLayout)
	b.files.add(prodUS.folder()+hour+"amazon-bedrock-logs-permission-check", []byte("Permissions are correct for Amazon Bedrock logs.\n"))
	b.sum.Bedrock.SkippedObjects++
}
