package demo

// Bodies are what the provider and the gateway log of prompts and answers.
// They carry the canary, so that a test can prove that nobody kept them.

// note is a body of any shape.
type note = map[string]any

const (
	prompt = canary + " Please summarise the attached thread for the weekly review."
	answer = canary + " Here is the summary that you asked for."
)

// requestBody is the request in the shape of its operation.
func (c *call) requestBody() any {
	if c.operation == invoke || c.operation == invokeStream {
		return note{
			"anthropic_version": "bedrock-2023-05-31", "max_tokens": 16000,
			"messages": []note{{"role": "user", "content": []note{{"type": "text", "text": prompt}}}},
		}
	}
	return note{
		"messages":        []note{{"role": "user", "content": []note{{"text": prompt}}}},
		"inferenceConfig": note{"maxTokens": 16000},
	}
}

// responseBody is the answer in the shape of its operation. Only the Invoke
// operations carry an id in it.
func (c *call) responseBody(a attempt) any {
	usage := note{
		"input_tokens": a.tokens.fresh, "output_tokens": a.tokens.output,
		"cache_read_input_tokens": a.tokens.read, "cache_creation_input_tokens": a.tokens.written,
		"cache_creation": note{"ephemeral_5m_input_tokens": a.tokens.written, "ephemeral_1h_input_tokens": 0},
	}
	message := note{"id": a.responseID, "type": "message", "role": "assistant", "model": c.model}
	switch c.operation {
	case invoke:
		message["content"] = []note{{"type": "text", "text": answer}}
		message["stop_reason"], message["usage"] = "end_turn", usage
		return message
	case invokeStream:
		message["content"], message["usage"] = []note{}, usage
		return []any{
			note{"type": "message_start", "message": message},
			note{"type": "content_block_delta", "index": 0, "delta": note{"type": "text_delta", "text": answer}},
			note{"type": "message_delta", "delta": note{"stop_reason": "end_turn"}, "usage": note{"output_tokens": a.tokens.output}},
			"[DONE]",
		}
	}
	return note{
		"output":     note{"message": note{"role": "assistant", "content": []note{{"text": answer}}}},
		"stopReason": "end_turn",
		"metrics":    note{"latencyMs": c.took.Milliseconds()},
		"usage":      converseUsage(a.tokens),
	}
}

func converseUsage(t tokens) note {
	usage := note{
		"inputTokens": t.fresh, "outputTokens": t.output, "totalTokens": t.prompt() + t.output,
		"cacheReadInputTokens": t.read, "cacheWriteInputTokens": t.written,
	}
	if t.written > 0 {
		usage["cacheDetails"] = []note{{"ttl": "5m", "inputTokens": t.written}}
	}
	return usage
}
