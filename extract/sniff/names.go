package sniff

import (
	"slices"
	"strings"
)

// known is how people name a field of ours, without case and signs, the surest
// name first; see leaf.named.
type known struct {
	field string
	names []string
}

var startNames = []string{"startedat", "starttime", "started", "requesttime", "requestedat", "requestcreatedat", "eventtime", "timestamp", "createdat", "created", "timegenerated",
	"datetime", "calltime", "time", "when", "ts", "at", "usagedate", "activitydate", "date", "datepartition", "day"}

// wanted lists the fields in the order in which they choose among what is there.
func wanted() []known {
	return []known{
		{"started_at", startNames},
		{"ended_at", []string{"endedat", "endtime", "ended", "finishedat", "completedat", "responsetime", "responsecreatedat"}},
		{"provider_request_id", []string{"providerrequestid", "upstreamrequestid", "llmrequestid", "xamznrequestid", "awsrequestid", "bedrockrequestid", "xrequestid", "apimrequestid"}},
		{"response_id", []string{"responseid", "completionid", "generationid"}},
		{"agent_request_id", []string{"agentrequestid", "callid", "logid", "gatewayrequestid", "request/id", "message/id", "id", "eventid", "requestid", "reqid", "correlationid",
			"messageid", "transactionid", "invocationid", "interactionid", "recordid", "rowid", "spanid", "uuid", "guid", "row"}},
		{"trace_id", []string{"traceid", "conversationid", "sessionid"}},
		{"client_ref", []string{"clientref", "customid", "clientrequestid", "reference"}},
		{"model", []string{"responsemodel", "model", "modelname", "modelid", "llm", "llmmodel", "requestmodel", "*model", "modelversion", "deployment", "deploymentname", "modeldeploymentname"}},
		{"provider", []string{"provider", "providername", "llmprovider", "modelprovider", "aiprovider", "customllmprovider", "vendor"}},
		{"service_tier", []string{"servicetier"}},
		{"region", []string{"region", "awsregion"}},
		{"input_tokens", []string{"inputtokens", "prompttokens", "inputtokencount", "prompttokencount", "tokensin", "tokensprompt", "tokensinput", "requesttokens", "promptlength",
			"totalinputtokens", "totalprompttokens", "inputtoken", "prompttoken", "inputusage", "usageinput", "usageprompt", "usagedetailsinput", "requnits", "in", "input", "prompt"}},
		{"output_tokens", []string{"outputtokens", "completiontokens", "responsetokens", "outputtokencount", "completiontokencount", "candidatestokencount", "tokensout", "tokenscompletion",
			"tokensoutput", "generatedtokens", "totaloutputtokens", "totalcompletiontokens", "outputtoken", "completiontoken", "outputusage", "usageoutput", "usagecompletion",
			"usagedetailsoutput", "resunits", "out", "output", "completion", "answer"}},
		{"cache_read_tokens", []string{"cachereadtokens", "cachereadinputtokens", "cachedtokens", "cachedinputtokens", "inputcachedtokens", "cachedprompttokens", "cachedcontenttokencount",
			"tokenscached", "cacheread", "cached"}},
		{"cache_write_5m_tokens", []string{"ephemeral5minputtokens", "cachewrite5mtokens", "cachecreation5mtokens"}},
		{"cache_write_1h_tokens", []string{"ephemeral1hinputtokens", "cachewrite1htokens", "cachecreation1htokens"}},
		{"cache_write_tokens", []string{"cachewritetokens", "cachewriteinputtokens", "cachecreationtokens", "cachecreationinputtokens", "cachewrite"}},
		{"reasoning_tokens", []string{"reasoningtokens", "thinkingtokens", "thoughtstokencount", "reasoningtokencount", "thinkingtokencount"}},
		{"total_tokens", []string{"totaltokens", "totaltokencount", "tokenstotal"}},
		{"user_email", []string{"useremail", "email", "emailaddress", "usermail", "mail", "requestedby"}},
		{"user_id", []string{"userid", "username", "user", "requestuserid", "login", "employeeid"}},
		{"end_user", []string{"enduserid", "enduser"}},
		{"agent_id", []string{"agentid", "agentname", "agent", "appid", "appname", "app", "application", "applicationname", "service", "servicename", "botname"}},
		{"team", []string{"teamname", "team", "teamid", "group", "groupname"}},
		{"project", []string{"projectname", "project", "projectid", "workspace"}},
		{"key_alias", []string{"keyalias", "apikeyalias", "keyname", "apikeyname"}},
		{"tool_calls", []string{"toolcalls", "toolsused", "tools"}},
		{"cache_hit", []string{"cachehit", "fromcache", "cachestatus", "iscached", "cached"}},
		{"reported_cost", []string{"costusd", "totalcostusd", "totalcost", "cost", "spend", "amountusd", "costcents", "costmicros", "costmicrousd", "costincents", "costinmicros"}},
		{"status", []string{"statuscode", "httpstatus", "responsestatus", "status", "outcome", "success", "issuccess"}},
		{"error_code", []string{"errorcode", "errortype", "error"}},
	}
}

// unsure are names that other things have, too: the values must show it.
var unsure = []string{"in", "out", "input", "output", "prompt", "completion", "answer", "cached", "time", "at", "date", "day", "created"}

// strangers have ids of their own: what stands below them names a person, a
// session or a thing, and no request.
var strangers = []string{"consumer", "user", "users", "enduser", "account", "customer", "session", "gateway", "conversation", "thread", "organization", "organisation", "org", "team",
	"project", "workspace", "tenant", "member", "employee", "person", "owner", "actor", "identity", "principal", "credential", "credentials", "key", "apikey", "virtualkey", "plugin",
	"route", "service", "node", "device", "host", "machine", "app", "application", "agent", "tool", "subscription", "parent", "author", "caller", "company", "department", "product",
	"template", "model", "deployment", "environment", "dataset", "budget", "client"}

// carriers are the objects whose id is that of the record.
var carriers = []string{"request", "req", "call", "log", "event", "record", "message", "msg", "response", "resp", "completion", "generation", "usage", "meta", "span", "invocation",
	"transaction", "interaction", "data", "properties", "body", "llm", "chat", "entry", "item", "job", "payload", "source"}

// plainIDs are names that anything's id has.
var plainIDs = []string{"id", "uuid", "guid", "customid", "reference", "row"}

// ownID says whether a place may hold an id of the record, as a field of ids: not
// one of somebody or something else.
func (l leaf) ownID(field string) bool {
	around := l.keys[:len(l.keys)-1]
	for _, key := range around {
		if slices.Contains(strangers, key) && !(key == "client" && field == "client_ref") {
			return false
		}
	}
	switch {
	case slices.Contains(plainIDs, l.name()) && len(around) > 0:
		return slices.Contains(carriers, l.parent())
	case field == "provider_request_id": // what came with the request is the caller's
		return !slices.Contains(around, "request") && !slices.Contains(around, "req")
	case field == "response_id": // a gateway gives its answers UUIDs, providers don't
		return !l.some(uuid.MatchString)
	}
	return true
}

// otherNames are those of places that serve no field, in their order and bounded,
// to show a person what is there. Names below what people wrote are not told.
func otherNames(leaves []leaf, taken map[string]bool) (names []string) {
	for _, l := range leaves {
		content := slices.ContainsFunc(l.keys[:len(l.keys)-1], func(key string) bool { return slices.Contains(contents, key) })
		if taken[l.place] || content || !title.MatchString(l.place) {
			continue
		}
		names = append(names, l.place)
	}
	return names
}

// contents are objects whose keys people may have chosen.
var contents = []string{"arguments", "args", "input", "output", "content", "contents", "messages", "prompt", "parameters", "params", "result", "results", "answer", "variables", "headers", "body"}

// modelWords tell who is paid for models that begin with them.
func modelWords() [][2]string {
	return [][2]string{{"claude", "anthropic"}, {"gpt-", "openai"}, {"chatgpt", "openai"}, {"o1", "openai"}, {"o3", "openai"}, {"o4", "openai"}, {"text-embedding-3", "openai"},
		{"gemini", "gemini"}, {"mistral", "mistral"}, {"codestral", "mistral"}, {"grok", "xai"}, {"deepseek", "deepseek"}, {"command-", "cohere"}}
}

// payee is who is paid for all of some models, "" where their names don't tell.
func payee(models []string) (provider string) {
	for _, model := range models {
		of := ""
		for _, w := range modelWords() {
			if strings.HasPrefix(strings.ToLower(model), w[0]) {
				of = w[1]
				break
			}
		}
		if of == "" || provider != "" && of != provider {
			return ""
		}
		provider = of
	}
	return provider
}
