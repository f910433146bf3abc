package importer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/transform/rates"
)

func openRouterKeys() map[string]rates.Class {
	return map[string]rates.Class{
		"prompt": rates.Input, "completion": rates.Output, "internal_reasoning": rates.Reasoning, "input_cache_read": rates.CacheRead,
		"input_cache_write": rates.CacheWrite5m, "input_cache_write_1h": rates.CacheWrite1h, "audio": rates.InputAudio, "input_audio_cache": rates.CacheReadAudio,
		"image": rates.InputImage, "image_output": rates.OutputImage, "audio_output": rates.OutputAudio, "request": rates.Request, "web_search": rates.Search,
	}
}

// openRouter reads an object with a list of models, all of one provider.
func (r *reader) openRouter(data []byte) error {
	var list struct {
		Data []struct {
			ID      string          `json:"id"`
			Slug    string          `json:"canonical_slug"`
			Pricing json.RawMessage `json:"pricing"`
		} `json:"data"`
	}
	if err := decode(data, &list); err != nil {
		return err
	}
	if list.Data == nil {
		return errShape
	}
	for _, m := range list.Data {
		r.named(m.ID, OpenRouter, m.ID)
		prices, err := fields(m.Pricing)
		if err != nil {
			r.skip(m.ID, "has no price")
			continue
		}
		s := sheet{}
		r.openRouterUnits(s, m.ID, "", prices, 0)
		r.openRouterOverrides(s, m.ID, prices["overrides"])
		r.add(m.ID, rates.Entry{Provider: OpenRouter, Model: m.ID, Aliases: openRouterNames(m.ID, m.Slug), Sheet: s.make()})
	}
	return nil
}

// openRouterNames are the other names of a model. Answers name it by its id or by
// its slug, behind which a variant (:free, :batch) stands as in the id.
func openRouterNames(id, slug string) []string {
	if slug == "" {
		return nil
	}
	if _, variant, is := strings.Cut(id, ":"); is && !strings.HasSuffix(slug, ":"+variant) {
		slug += ":" + variant
	}
	return []string{slug}
}

// openRouterUnits reads the prices of a block. A 0 says that a thing has no price
// of its own, unless it is the prompt or the completion.
func (r *reader) openRouterUnits(s sheet, name, path string, block map[string]json.RawMessage, above int64) {
	for _, key := range slices.Sorted(maps.Keys(block)) {
		class, is := openRouterKeys()[key]
		of := perToken
		if class == rates.Request || class == rates.Search {
			of = each
		}
		switch {
		case key == "overrides" || key == "min_prompt_tokens" || string(block[key]) == "null":
		case key != "prompt" && key != "completion" && zero(block[key]):
		case !is:
			r.warn(name, path+key, "is not understood: this dimension stays unpriced")
		case above > 0 && of == each:
			r.warn(name, path+key, "is a fee that depends on the size of the prompt: left out")
		case class == rates.InputImage && !sameNumber(block[key], block["prompt"]):
			r.warn(name, path+key, "may be the price of an image: images cost what text does")
		default:
			r.read(s, name, path+key, block[key], above, class, of)
		}
	}
}

func sameNumber(a, b json.RawMessage) bool {
	x, errX := number(a)
	y, errY := number(b)
	return errX == nil && errY == nil && x.Equal(y)
}

// openRouterOverrides reads prices that hold from a number of tokens on.
func (r *reader) openRouterOverrides(s sheet, name string, raw json.RawMessage) {
	var overrides []map[string]json.RawMessage
	if len(raw) > 0 && decode(raw, &overrides) != nil {
		r.warn(name, "overrides", "is not understood: long prompts cost the standard price")
	}
	for i, block := range overrides {
		path := fmt.Sprintf("overrides[%d]", i)
		least, ok := tokens(block["min_prompt_tokens"])
		if !ok || least < 2 {
			r.warn(name, path, "has no min_prompt_tokens: left out")
			continue
		}
		r.openRouterUnits(s, name, path+".", block, least-1)
	}
}
