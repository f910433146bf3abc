package importer

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"chargeback/transform/rates"
)

func modelsDevKeys() map[string]rates.Class {
	return map[string]rates.Class{
		"input": rates.Input, "output": rates.Output, "reasoning": rates.Reasoning, "cache_read": rates.CacheRead, "cache_write": rates.CacheWrite5m,
		"input_audio": rates.InputAudio, "output_audio": rates.OutputAudio,
	}
}

// modelsDevProvider is a provider as records name it.
func modelsDevProvider(id string) string {
	names := map[string]string{
		"amazon-bedrock": "bedrock", "google": "gemini", "google-vertex": "vertex_ai", "google-vertex-anthropic": "vertex_ai", "fireworks-ai": "fireworks_ai",
		"togetherai": "together_ai", "moonshotai": "moonshot", "github-copilot": "github_copilot", "azure-cognitive-services": "azure_ai", "vercel": "vercel_ai_gateway",
		"cloudflare-workers-ai": "cloudflare", "alibaba": "dashscope",
	}
	if name, is := names[id]; is {
		return name
	}
	return id
}

// modelsDev reads an object of providers, each with an object of models.
func (r *reader) modelsDev(data []byte) error {
	providers, err := fields(data)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(providers)) {
		var p struct {
			Models map[string]struct {
				Cost json.RawMessage `json:"cost"`
			} `json:"models"`
		}
		if decode(providers[id], &p) != nil || p.Models == nil {
			return errShape
		}
		for _, model := range slices.Sorted(maps.Keys(p.Models)) {
			name := id + "/" + model
			r.named(name, modelsDevProvider(id), model)
			cost, err := fields(p.Models[model].Cost)
			if err != nil {
				r.skip(name, "has no price")
				continue
			}
			e := rates.Entry{Provider: modelsDevProvider(id), Model: model}
			s := sheet{}
			r.modelsDevUnits(s, name, "", cost, 0)
			r.modelsDevTiers(s, name, cost)
			e.Sheet = s.make()
			r.add(name, e)
		}
	}
	return nil
}

// modelsDevUnits reads the prices of a block, which hold above a number of
// tokens.
func (r *reader) modelsDevUnits(s sheet, name, path string, block map[string]json.RawMessage, above int64) {
	for _, key := range slices.Sorted(maps.Keys(block)) {
		class, is := modelsDevKeys()[key]
		switch {
		case string(block[key]) == "null" || key == "tier" || above == 0 && (key == "tiers" || key == "context_over_200k"):
		case is:
			r.read(s, name, path+key, block[key], above, class, perMillion)
		default:
			r.warn(name, path+key, "is not understood: this dimension stays unpriced")
		}
	}
}

// modelsDevTiers reads prices for long prompts, in one of the two forms that the
// list has for them.
func (r *reader) modelsDevTiers(s sheet, name string, cost map[string]json.RawMessage) {
	var tiers []map[string]json.RawMessage
	if raw := cost["tiers"]; raw != nil && decode(raw, &tiers) != nil {
		r.warn(name, "tiers", "is not understood: long prompts cost the standard price")
	}
	for _, block := range tiers {
		var tier struct {
			Type string          `json:"type"`
			Size json.RawMessage `json:"size"`
		}
		above, ok := int64(0), decode(block["tier"], &tier) == nil && tier.Type == "context"
		if ok {
			above, ok = tokens(tier.Size)
		}
		if !ok {
			r.warn(name, "tiers", "has one that is not by the size of the context: left out")
			continue
		}
		r.modelsDevUnits(s, name, "tiers.", block, above)
	}
	const key, above = "context_over_200k", 200_000
	if long, err := fields(cost[key]); err == nil && s[above] == nil {
		r.modelsDevUnits(s, name, key+".", long, above)
	} else if raw := strings.TrimSpace(string(cost[key])); err != nil && raw != "" && raw != "null" {
		r.warn(name, key, "is not understood: long prompts cost the standard price")
	}
}
