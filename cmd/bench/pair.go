package main

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// pair is one request seen twice: as Bedrock metered it and as the gateway
// logged it. Both carry the provider's request id.
type pair struct {
	requestID, callID           uuid
	at                          time.Time
	model                       string
	input, output, cacheRead    int
	user, session, agent        int
	addressThird, addressFourth int
}

// uuid holds the five groups of a UUID, version and variant fixed by the text.
type uuid struct {
	a, b, c, d uint32
	e          uint64
}

// drawPair makes the next request. The order of the draws is part of the
// generated data: changing it changes every total.
func drawPair(r *rand.Rand) pair {
	p := pair{requestID: drawUUID(r), callID: drawUUID(r)}
	p.at = day.Add(time.Duration(r.Int64N(int64(24 * time.Hour))))
	p.model = models[r.IntN(len(models))].id
	p.input, p.output, p.cacheRead = 1+r.IntN(8000), 1+r.IntN(1200), r.IntN(3000)
	p.user, p.session, p.agent = r.IntN(people), r.IntN(1000), r.IntN(120)
	p.addressThird, p.addressFourth = r.IntN(256), r.IntN(256)
	return p
}

func drawUUID(r *rand.Rand) uuid {
	return uuid{r.Uint32(), r.Uint32() & 0xffff, r.Uint32() & 0xfff, r.Uint32() & 0xfff, r.Uint64() & 0xffffffffffff}
}

// append writes the id as text; variant is the first digit of its fourth group.
func (u uuid) append(b []byte, variant byte) []byte {
	b = appendHex(b, uint64(u.a), 8)
	b = append(b, '-')
	b = appendHex(b, uint64(u.b), 4)
	b = append(b, "-4"...)
	b = appendHex(b, uint64(u.c), 3)
	b = append(b, '-', variant)
	b = appendHex(b, uint64(u.d), 3)
	b = append(b, '-')
	return appendHex(b, u.e, 12)
}

// appendUsage writes the Bedrock invocation log line, newline included.
func (p *pair) appendUsage(b []byte) []byte {
	b = append(b, `{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"`...)
	b = p.at.AppendFormat(b, "2006-01-02T15:04:05Z")
	b = append(b, `","accountId":"`+account+`","identity":{"arn":"arn:aws:sts::`+account+`:assumed-role/agent-runtime/session-`...)
	b = strconv.AppendInt(b, int64(p.session), 10)
	b = append(b, `"},"region":"`+region+`","requestId":"`...)
	b = p.requestID.append(b, 'a')
	b = append(b, `","operation":"Converse","modelId":"`...)
	b = append(b, p.model...)
	b = append(b, `","input":{"inputContentType":"application/json","inputTokenCount":`...)
	b = strconv.AppendInt(b, int64(p.input), 10)
	b = append(b, `,"cacheReadInputTokenCount":`...)
	b = strconv.AppendInt(b, int64(p.cacheRead), 10)
	b = append(b, `,"cacheWriteInputTokenCount":0},"output":{"outputContentType":"application/json","outputTokenCount":`...)
	b = strconv.AppendInt(b, int64(p.output), 10)
	return append(b, `},"inferenceRegion":"`+region+`","requestMetadata":{"env":"prod"}}`+"\n"...)
}

// appendRequest writes the LiteLLM log line, newline included.
func (p *pair) appendRequest(b []byte) []byte {
	b = append(b, `{"id":"chatcmpl-`...)
	b = p.callID.append(b, 'b')
	b = append(b, `","litellm_call_id":"`...)
	b = p.callID.append(b, 'b')
	b = append(b, `","trace_id":"`...)
	b = p.callID.append(b, 'b')
	b = append(b, `","call_type":"acompletion","stream":false,"status":"success","custom_llm_provider":"bedrock","startTime":`...)
	b = strconv.AppendInt(b, p.at.Unix(), 10)
	b = append(b, '.')
	b = appendPadded(b, p.at.Nanosecond()/1e6, 3)
	b = append(b, `,"endTime":`...)
	b = strconv.AppendInt(b, p.at.Unix()+2, 10)
	b = append(b, `.5,"model":"bedrock/`...)
	b = append(b, p.model...)
	b = append(b, `","model_group":"agents","api_base":"https://bedrock-runtime.`+region+`.amazonaws.com","metadata":`...)
	b = p.appendMetadata(b)
	b = append(b, `,"cache_hit":false,"saved_cache_cost":0.0,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(p.input+p.cacheRead+p.output), 10)
	b = append(b, `,"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(p.input+p.cacheRead), 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, int64(p.output), 10)
	b = append(b, `,"response_cost":0.0123,"request_tags":["prod","chat"],"end_user":"","hidden_params":{"model_id":"m1","additional_headers":{"llm_provider-x-amzn-requestid":"`...)
	b = p.requestID.append(b, 'a')
	return append(b, `"}},"error_str":null}`+"\n"...)
}

// appendMetadata writes what the gateway knows of the key, the person and the agent.
func (p *pair) appendMetadata(b []byte) []byte {
	b = append(b, `{"user_api_key_hash":"`...)
	b = appendHex(b, uint64(p.user), 16)
	b = append(b, `","user_api_key_user_id":"`...)
	b = appendEmail(b, p.user)
	b = append(b, `","user_api_key_user_email":"`...)
	b = appendEmail(b, p.user)
	b = append(b, `","user_api_key_team_id":"team-`...)
	b = strconv.AppendInt(b, int64(p.user%departments), 10)
	b = append(b, `","user_api_key_alias":"agent-key-`...)
	b = strconv.AppendInt(b, int64(p.user%300), 10)
	b = append(b, `","spend_logs_metadata":{"agent_id":"agent-`...)
	b = strconv.AppendInt(b, int64(p.agent), 10)
	b = append(b, `"},"requester_ip_address":"10.0.`...)
	b = strconv.AppendInt(b, int64(p.addressThird), 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(p.addressFourth), 10)
	return append(b, `"}`...)
}

func appendEmail(b []byte, user int) []byte {
	b = append(b, "user"...)
	b = appendPadded(b, user, 5)
	return append(b, "@example.com"...)
}

// appendHex writes v in exactly width lower-case hex digits.
func appendHex(b []byte, v uint64, width int) []byte {
	const digits = "0123456789abcdef"
	for shift := 4 * (width - 1); shift >= 0; shift -= 4 {
		b = append(b, digits[v>>shift&0xf])
	}
	return b
}

// appendPadded writes v in at least width decimal digits.
func appendPadded(b []byte, v, width int) []byte {
	for limit := 10; width > 1; width, limit = width-1, limit*10 {
		if v < limit {
			for range width - 1 {
				b = append(b, '0')
			}
			break
		}
	}
	return strconv.AppendInt(b, int64(v), 10)
}
