package config

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
)

// Reading is a fingerprint of the settings that decide what is read of an
// object of the source: all but its name, its place, what prices need and when it
// counts as silent. What is
// as the program has it by itself is not in it, so that neither a new key nor
// another default of a newer version makes another fingerprint.
func (s Source) Reading() string {
	standard := Source{Format: s.Format}
	standard.FillIn()
	standard.Format = ""
	s.Name, s.URL, s.S3, s.CacheTTL, s.SilentAfterDays = "", "", S3{}, "", DayCount{}
	text, err := json.Marshal(differing(reflect.ValueOf(s), reflect.ValueOf(standard)))
	if err != nil {
		panic(err) // settings are texts, numbers, lists and maps of them
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Place is where the source's objects lie, without secrets.
func (s Source) Place() string { return strings.TrimSpace(s.URL + " " + s.S3.Endpoint) }

// differing is a value as JSON can write it, of a struct the fields alone that
// are not those of the standard.
func differing(v, standard reflect.Value) any {
	if _, is := v.Interface().(encoding.TextMarshaler); is {
		return v.Interface()
	}
	switch v.Kind() {
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			if own, usual := v.Field(i), standard.Field(i); !same(own, usual) {
				key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
				fields[key] = differing(own, usual)
			}
		}
		return fields
	case reflect.Slice:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = differing(v.Index(i), reflect.Zero(v.Type().Elem()))
		}
		return items
	case reflect.Map:
		values := map[string]any{}
		for key, value := range v.Seq2() {
			values[key.String()] = differing(value, reflect.Zero(v.Type().Elem()))
		}
		return values
	}
	return v.Interface()
}

// same says whether two values mean the same; a list that is empty means what
// one that is not there means.
func same(a, b reflect.Value) bool {
	if kind := a.Kind(); (kind == reflect.Slice || kind == reflect.Map) && a.Len()+b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
