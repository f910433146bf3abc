package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chargeback/config"
	"chargeback/extract/decode"
)

// NewFormat makes the decoder of a source's objects.
func NewFormat(src config.Source) (decode.Format, error) {
	f := src.Fields
	request := decode.RequestOptions{AgentID: f.AgentID, ToolCalls: f.ToolCalls, CostCenter: f.CostCenter, ClientRef: f.ClientRef}
	switch src.Format {
	case config.FormatBedrock:
		return decode.NewBedrock(decode.BedrockOptions{ClientRef: f.ClientRef, CostCenter: f.CostCenter, AgentID: f.AgentID})
	case config.FormatBedrockBatch:
		return decode.NewBedrockBatch(batchOptions(src.Batch))
	case config.FormatOpenAIBatch:
		return decode.NewOpenAIBatch(batchOptions(src.Batch))
	case config.FormatAnthropicBatch:
		return decode.NewAnthropicBatch(batchOptions(src.Batch))
	case config.FormatVertex:
		return decode.NewVertex(decode.VertexOptions{ClientRef: f.ClientRef, CostCenter: f.CostCenter, AgentID: f.AgentID})
	case config.FormatGemini:
		return decode.NewGemini(decode.VertexOptions{ClientRef: f.ClientRef, CostCenter: f.CostCenter, AgentID: f.AgentID})
	case config.FormatLiteLLM:
		return decode.NewLiteLLM(request)
	case config.FormatPortkey:
		return decode.NewPortkey(decode.PortkeyOptions{RequestOptions: request, UserID: f.UserID, EndUser: f.EndUser, Team: f.Team})
	case config.FormatOpenRouter:
		return decode.NewOpenRouter(decode.OpenRouterOptions{RequestOptions: request, EndUser: f.EndUser, Team: f.Team})
	case config.FormatLangfuse:
		return decode.NewLangfuse(decode.LangfuseOptions{
			RequestOptions: request, ProviderRequestID: f.ProviderRequestID, ResponseID: f.ResponseID, Provider: f.Provider,
			UserEmail: f.UserEmail, EndUser: f.EndUser, Team: f.Team, Project: f.Project, TokensIn: src.TokensIn,
		})
	case config.FormatOTLP:
		return decode.NewOTLP(decode.OTLPOptions{Side: src.Side, RequestOptions: request, Team: f.Team, Caller: f.Caller, Operations: src.Operations, Parents: src.Parents})
	case config.FormatMapped:
		return newMapped(src)
	case config.FormatPeople:
		return decode.People{}, nil
	case config.FormatSCIM, config.FormatEntra, config.FormatOkta, config.FormatWorkday, config.FormatGoogle:
		return decode.NewSnapshot(src.Format, decode.PersonOptions{Email: f.Email, Department: f.Department, CostCenter: f.CostCenter, ValidFrom: f.ValidFrom, Aliases: f.Aliases})
	case config.FormatOpenAIUsage:
		return decode.NewOpenAIUsage(), nil
	case config.FormatOpenAICosts:
		return decode.NewOpenAICosts(), nil
	case config.FormatAnthropicUsage:
		return decode.NewAnthropicUsage(), nil
	case config.FormatAnthropicCosts:
		return decode.NewAnthropicCosts(), nil
	case config.FormatCUR:
		return decode.NewCUR(), nil
	case config.FormatFOCUS:
		return decode.NewFOCUS(), nil
	}
	return nil, fmt.Errorf("format %q is not known", src.Format)
}

// newMapped makes the decoder of a map of fields.
func newMapped(src config.Source) (decode.Format, error) {
	m := src.Mapped
	zone, err := time.LoadLocation(m.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone: %q is not a time zone; write it as Europe/Berlin", m.Zone)
	}
	fields := map[string][]decode.Place{}
	for name, places := range m.Fields {
		for _, place := range places {
			fields[name] = append(fields[name], decode.Place(place))
		}
	}
	return decode.NewMapped(decode.MappedOptions{
		Side: src.Side, Layout: m.Layout, Delimiter: m.Delimiter, Records: m.Records, Fields: fields, Constants: m.Constants, Only: m.Only, Except: m.Except, Words: m.Words, Null: m.Null,
		TokensIn: m.TokensIn, ReasoningIn: m.ReasoningIn, TokenUnit: m.TokenUnit, CostUnit: m.CostUnit, Time: m.Time, Zone: zone, Success: m.Success, Failure: m.Failure, CacheHit: m.CacheHit, Key: m.Key,
	})
}

// checkFormats finds what a source's format can't be made of.
func checkFormats(c *config.Config, fail Failf) {
	for i, src := range c.Sources {
		if !slices.Contains(config.Formats(), src.Format) || src.IsSnapshot() {
			continue // the settings' own check says it
		}
		if _, err := NewFormat(src); err != nil {
			block := map[bool]string{true: ".mapped", false: ""}[src.Format == config.FormatMapped]
			key, what, _ := strings.Cut(err.Error(), ": ")
			if strings.ContainsAny(key, " \"") || what == "" {
				fail(fmt.Sprintf("sources[%d]%s", i, block), "%v", err)
				continue
			}
			fail(fmt.Sprintf("sources[%d]%s.%s", i, block, key), "%s", what)
		}
	}
}

func batchOptions(b config.Batch) decode.BatchOptions {
	o := decode.BatchOptions{
		Provider: b.Provider, ClientRef: b.ClientRef,
		BatchDefaults: decode.BatchDefaults{Model: b.Model, Account: b.Account, Region: b.Region, Caller: b.Caller, CostCenter: b.CostCenter, AgentID: b.AgentID},
	}
	for _, job := range b.Jobs {
		own := decode.BatchJob{
			ID: job.ID, ClientRef: job.ClientRef,
			BatchDefaults: decode.BatchDefaults{Model: job.Model, Account: job.Account, Region: job.Region, Caller: job.Caller, CostCenter: job.CostCenter, AgentID: job.AgentID},
		}
		if !job.StartedAt.IsZero() {
			own.StartedAt = job.StartedAt.String()
		}
		o.Jobs = append(o.Jobs, own)
	}
	return o
}
