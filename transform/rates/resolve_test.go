package rates

import "testing"

func TestResolve(t *testing.T) {
	b := parse(t, `prices:
  - provider: bedrock
    model: anthropic.claude-x-v1:0
    aliases:
      - us.anthropic.claude-x-v1:0
      - arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: 1, output: 2}
  - {provider: openai, model: gpt-x, aliases: [gpt-x-2026-01-01], from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 2}}
`)
	const claude, gpt = "bedrock/anthropic.claude-x-v1:0", "openai/gpt-x"
	tests := []struct {
		name, provider, model string
		key, how              string // "" = not found
	}{
		{"its own id", "bedrock", "anthropic.claude-x-v1:0", claude, ByExact},
		{"alias", "bedrock", "us.anthropic.claude-x-v1:0", claude, ByAlias},
		{"alias of a dated model", "openai", "gpt-x-2026-01-01", gpt, ByAlias},
		{"whole ARN as alias", "bedrock", "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123", claude, ByAlias},
		{"foundation model", "bedrock", "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x-v1:0", claude, ByARN},
		{"inference profile", "bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-x-v1:0", claude, ByARN},
		{"government partition", "bedrock", "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-x-v1:0", claude, ByARN},
		{"gateway's provider", "bedrock", "bedrock/anthropic.claude-x-v1:0", claude, ByPrefix},
		{"gateway's provider and an alias", "openai", "openai/gpt-x-2026-01-01", gpt, ByPrefix},
		{"gateway's route", "bedrock", "bedrock/converse/anthropic.claude-x-v1:0", claude, ByPrefix},
		{"gateway's region", "bedrock", "bedrock/us-east-1/anthropic.claude-x-v1:0", claude, ByPrefix},
		{"gateway's government region", "bedrock", "bedrock/us-gov-west-1/anthropic.claude-x-v1:0", claude, ByPrefix},
		{"gateway's route and region", "bedrock", "bedrock/invoke/eu-central-1/us.anthropic.claude-x-v1:0", claude, ByPrefix},
		{"gateway's route and an ARN", "bedrock", "bedrock/converse/arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x-v1:0", claude, ByPrefix},

		{"empty", "", "", "", ""},
		{"empty model", "bedrock", "", "", ""},
		{"another provider's model", "bedrock", "gpt-x", "", ""},
		{"another provider's prefix", "bedrock", "openai/gpt-x", "", ""},
		{"longer than a known id", "openai", "gpt-x-mini", "", ""},
		{"shorter than a known id", "openai", "gpt-", "", ""},
		{"other case", "openai", "GPT-X", "", ""},
		{"blank", "openai", "gpt-x ", "", ""},
		{"another region's profile", "bedrock", "eu.anthropic.claude-x-v1:0", "", ""},
		{"unknown model in an ARN", "bedrock", "arn:aws:bedrock:us-east-1::foundation-model/other", "", ""},
		{"provisioned model", "bedrock", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/anthropic.claude-x-v1:0", "", ""},
		{"commitment", "bedrock", "bedrock/us-east-1/1-month-commitment/anthropic.claude-x-v1:0", "", ""},
		{"route elsewhere than on Bedrock", "openai", "openai/converse/gpt-x", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, how, ok := b.Resolve(tt.provider, "", tt.model)
			if key != tt.key || ok != (tt.key != "") || ok && how != tt.how {
				t.Errorf("got %q, %s, %v", key, how, ok)
			}
		})
	}
}
