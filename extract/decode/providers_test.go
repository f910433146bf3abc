package decode

import "testing"

// Goal: each provider has one word, whoever names it.
func TestProviderWords(t *testing.T) {
	tests := []struct{ named, model, want string }{
		{"azure-openai", "", "azure"}, {"azure-ai", "", "azure_ai"}, {"vertex-ai", "", "vertex_ai"}, {"google", "", "gemini"}, {"mistral-ai", "", "mistral"},
		{"OPENAI", "", "openai"}, {"aws_bedrock", "", "bedrock"}, {"AWS Bedrock", "", "bedrock"}, {"gcp.vertex_ai", "", "vertex_ai"}, {"gcp.gemini", "", "gemini"},
		{"x-ai", "", "xai"}, {"x_ai", "", "xai"}, {"xAI", "", "xai"}, {"bedrock_converse", "", "bedrock"}, {"together-ai", "", "together_ai"}, {"perplexity-ai", "", "perplexity"},
		{"fireworks-ai", "", "fireworks_ai"}, {"workers-ai", "", "cloudflare"}, {"Moonshot AI", "", "moonshot"}, {"Z.AI", "", "zai"}, {"azure.ai.openai", "", "azure"},
		{"groq", "", "groq"}, {"In-House", "", "in-house"}, {"a word of more than thirty-two bytes", "", "a word of more than thirty-two bytes"},
		{"", "mistralai/mistral-large", "mistral"}, {"", "acme/m", "acme"}, {"", "m", "unknown"}, {"", "/m", "unknown"},
	}
	for _, tt := range tests {
		if got := string(provider([]byte(tt.named), []byte(tt.model))); got != tt.want {
			t.Errorf("%q, model %q: got %s, want %s", tt.named, tt.model, got, tt.want)
		}
	}
}
