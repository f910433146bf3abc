package decode

import "bytes"

// providerWords leads from each word that a gateway, a platform or a convention
// has for who is paid to the rate book's. It has no capitals, and _ for blanks,
// hyphens and dots.
var providerWords = func() map[string][]byte {
	words := map[string][]byte{}
	for ours, theirs := range map[string][]string{
		"anthropic":         {"claude", "anthropic_api"},
		"azure":             {"azure_openai", "azureopenai", "azure_ai_openai", "az_ai_openai", "azure_text", "microsoft_azure"},
		"azure_ai":          {"azure_ai_inference", "az_ai_inference", "azure_ai_foundry", "azure_foundry", "azure_cognitive_services"},
		"bedrock":           {"aws_bedrock", "amazon_bedrock", "bedrock_converse", "bedrock_mantle", "aws"},
		"cloudflare":        {"workers_ai", "cloudflare_workers_ai"},
		"codestral":         {"text_completion_codestral"},
		"cohere":            {"cohere_chat"},
		"dashscope":         {"alibaba", "alibaba_cloud"},
		"deepseek":          {"deepseek_ai"},
		"featherless_ai":    {"featherless"},
		"fireworks_ai":      {"fireworks"},
		"gemini":            {"google", "gcp_gemini", "google_ai_studio", "google_genai", "google_generative_ai", "google_generativeai", "google_gemini", "google_ai"},
		"groq":              {"groq_cloud"},
		"jina_ai":           {"jina"},
		"lambda_ai":         {"lambda"},
		"mistral":           {"mistral_ai", "mistralai"},
		"moonshot":          {"moonshot_ai", "moonshotai"},
		"novita":            {"novita_ai", "novitaai"},
		"nvidia_nim":        {"nvidia"},
		"openai":            {"text_completion_openai", "open_ai"},
		"perplexity":        {"perplexity_ai"},
		"recraft":           {"recraft_ai"},
		"stability":         {"stability_ai"},
		"together_ai":       {"together", "togetherai"},
		"vercel_ai_gateway": {"vercel"},
		"vertex_ai":         {"vertex", "vertexai", "vertex_ai_beta", "gcp_vertex_ai", "gcp_gen_ai", "gcp_vertexai", "google_vertex", "google_vertexai", "google_vertex_ai", "google_vertex_anthropic"},
		"voyage":            {"voyageai", "voyage_ai"},
		"watsonx":           {"ibm_watsonx_ai", "ibm_watsonx"},
		"xai":               {"x_ai"},
		"zai":               {"z_ai"},
		"openrouter":        nil,
		"cerebras":          nil,
		"deepinfra":         nil,
		"databricks":        nil,
		"sambanova":         nil,
		"hyperbolic":        nil,
		"nebius":            nil,
		"ai21":              nil,
		"replicate":         nil,
		"ollama":            nil,
	} {
		words[ours] = []byte(ours)
		for _, word := range theirs {
			words[word] = words[ours]
		}
	}
	return words
}()

var (
	unknown         = []byte("unknown")
	bedrockProvider = providerWords["bedrock"]
	vertexProvider  = providerWords["vertex_ai"]
	anthropicName   = providerWords["anthropic"]
)

// provider is the rate book's word for who is paid: that of the word that a
// record has for it, else of its model's prefix. A word that nobody translates
// stays, without capitals.
func provider(named, model []byte) []byte {
	if len(named) == 0 {
		prefix, _, found := bytes.Cut(model, []byte{'/'})
		if !found || len(prefix) == 0 {
			return unknown
		}
		named = prefix
	}
	switch string(named) { // as most are
	case "anthropic", "azure", "bedrock", "openai", "vertex_ai":
		return named
	}
	if ours := providerWord(named); ours != nil {
		return ours
	}
	if hasCapitals(named) {
		return bytes.ToLower(named)
	}
	return named
}

// providerWord is the rate book's word for a provider's, nil where there is none.
func providerWord(named []byte) []byte {
	if ours, known := providerWords[string(named)]; known {
		return ours
	}
	var buf [32]byte
	if len(named) > len(buf) {
		return nil
	}
	word := buf[:copy(buf[:], named)]
	for i, c := range word {
		switch {
		case c-'A' < 26:
			word[i] = c | 0x20
		case c == ' ' || c == '-' || c == '.':
			word[i] = '_'
		}
	}
	return providerWords[string(word)]
}
