-- The hand-written rival of a nightly run: read the files, dedupe, join people
-- and prices as of the request, price exactly, store, sum up. It keeps no
-- manifest, rejects or lineage and can't be run again over the same ledger.
-- The variable dir and the table prices are there before it starts.

create table people as
select
  email,
  department,
  cost_center,
  valid_from::timestamp as valid_from,
  coalesce(valid_to::timestamp, timestamp '2999-01-01') as valid_to
from read_csv(getvariable('dir') || '/people.csv', header = true, all_varchar = true, nullstr = '');

create temp table usage as
select
  requestId as request_id,
  "timestamp" as started_at,
  modelId as model,
  input.inputTokenCount as input_uncached,
  coalesce(input.cacheReadInputTokenCount, 0) as cache_read,
  output.outputTokenCount as output
from read_json(
  getvariable('dir') || '/bedrock/**/*.json.gz',
  format = 'newline_delimited',
  columns = {
    requestId: 'VARCHAR',
    "timestamp": 'TIMESTAMP',
    modelId: 'VARCHAR',
    input: 'STRUCT(inputTokenCount BIGINT, cacheReadInputTokenCount BIGINT)',
    output: 'STRUCT(outputTokenCount BIGINT)'
  })
qualify row_number() over (partition by requestId order by "timestamp" desc) = 1;

create temp table requests as
select
  litellm_call_id as call_id,
  hidden_params.additional_headers."llm_provider-x-amzn-requestid" as request_id,
  metadata.user_api_key_user_email as email,
  metadata.spend_logs_metadata.agent_id as agent_id
from read_json(
  getvariable('dir') || '/litellm/**/*.jsonl.gz',
  format = 'newline_delimited',
  columns = {
    litellm_call_id: 'VARCHAR',
    hidden_params: 'STRUCT(additional_headers STRUCT("llm_provider-x-amzn-requestid" VARCHAR))',
    metadata: 'STRUCT(user_api_key_user_email VARCHAR, spend_logs_metadata STRUCT(agent_id VARCHAR))'
  })
qualify row_number() over (partition by litellm_call_id order by request_id) = 1;

create table cost_records as
select
  u.request_id,
  r.call_id,
  u.started_at,
  u.started_at::date as usage_date,
  r.email,
  p.department,
  p.cost_center,
  r.agent_id,
  u.model,
  u.input_uncached,
  u.cache_read,
  u.output,
  (u.input_uncached * x.input + u.cache_read * x.cache_read + u.output * x.output)::decimal(18, 12) as llm_cost_usd,
  getvariable('infra_fee')::decimal(18, 12) as infra_cost_usd,
  0::decimal(18, 12) as tool_cost_usd
from usage u
left join requests r on r.request_id = u.request_id
left join people p on p.email = r.email and u.started_at >= p.valid_from and u.started_at < p.valid_to
left join prices x on x.model = u.model and u.started_at >= x.valid_from and u.started_at < x.valid_to;

create table summary as
select
  department,
  cost_center,
  count(*) as records,
  sum(llm_cost_usd) as llm_cost_usd,
  sum(infra_cost_usd) as infra_cost_usd
from cost_records
group by all;
