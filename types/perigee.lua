---@meta _

---@class (exact) perigee.User
---@field id string
---@field tenant? string whose user it is, where there are tenants; `id` begins with it and a slash
---@field name string
---@field roles string[]
---@field claims table<string, any> what else the caller's token says

---@class perigee.Message
---@field role "user"|"assistant"
---@field content string
---@field created_at string

---@class (exact) perigee.Session
---@field id string
---@field state table saved with the session
---@field messages fun(n?: integer): perigee.Message[] the last ones, oldest first

---@class (exact) perigee.Run
---@field id string
---@field version string of the scripts
---@field agent string its name

---@class (exact) perigee.Call
---@field id string
---@field key string the idempotency key: the same on every attempt
---@field attempt integer 1 for the first

---@class (exact) perigee.Context
---@field user perigee.User on whose behalf
---@field session perigee.Session the conversation
---@field run perigee.Run this run
---@field input table<string, any> what the caller sent; `message` is what the user said
---@field env table<string, string> variables that `scripts.env` names

---@class (exact) perigee.ToolContext: perigee.Context
---@field call perigee.Call this call of the tool

---@class perigee.Reply
---@field text string the answer
---@field data any with `output`: the answer that fits it
---@field tool_calls { id: string, name: string, arguments: table, result: any, error: table? }[] what was called for it

---@alias perigee.Answer string|{ text: string?, data: any }

---@class (exact) perigee.Limits
---@field steps? integer calls of the model
---@field seconds? number of the whole turn
---@field tokens? integer of all calls of the model
---@field cost_usd? number of all calls of the model; every model needs a price

---@class (exact) perigee.Access
---@field db? "read"|"write" the workspace's database
---@field kv? "read"|"write" small values by key
---@field files? "read" the texts under `files/`
---@field http? string[] hosts, as "api.example.com", "*.example.org:8443" or "GET,HEAD api.example.com"
---@field llm? boolean models
---@field queue? boolean jobs: queue.publish

---@class (exact) perigee.FoldedMessage
---@field role "user"|"assistant"|"tool"|"summary"
---@field text string

---@class (exact) perigee.Retry
---@field attempts integer the first one included; only errors that may go away are attempted again
---@field backoff? number|string seconds, or "1s", before the second; doubled each time, a minute at most

---@class (exact) perigee.Action
---@field agent? string runs an agent
---@field tool? string calls a tool
---@field run? fun(ctx: perigee.Context, results: table<string, any>, item: any, index: integer?): any does it; what it returns is the result
---@field approval? string asks a person
---@field webhook? string an address that is told the input, as JSON
---@field sleep? number|string seconds, or "48h"
---@field input? fun(ctx: perigee.Context, results: table<string, any>, item: any, index: integer?): any what the action gets
---@field retry? perigee.Retry
---@field timeout? number|string of one attempt; of an approval: when it expires
---@field by? { roles: string[] } who may decide an approval
---@field detail? any what an approval shows; the input unless said
---@field fields? table<string, any> what an approval asks to fill in, as a tool's `parameters`

---@class (exact) perigee.Step: perigee.Action
---@field needs? string[] steps that have to end first
---@field when? fun(ctx: perigee.Context, results: table<string, any>): any false or nil skips the step
---@field on_error? string a step that runs in its place, or "continue"
---@field for_each? string|fun(ctx: perigee.Context, results: table<string, any>): any[] a list, or a step that it needs whose result is one
---@field limit? integer elements beside each other; 8 unless said

---@class (exact) perigee.State: perigee.Action
---@field on? { ok: string?, error: string? } where it leads
---@field next? fun(ctx: perigee.Context, result: any): string? where it leads; nil ends

---@alias perigee.Rule
---| "pii" # iban, card, national_id, email, phone
---| "secrets" # private_key, api_key, token, password
---| "profanity" # English swear words, and the words given
---| "malicious_code" # scripts in markup, and SQL, shell, path, template and XML injection
---| "injection" # instructions smuggled into a text, forged chat markup and invisible characters
---| "private_key" # private keys in PEM blocks
---| "api_key" # keys of known providers, told by their prefix
---| "token" # JSON web tokens, bearer tokens and basic credentials
---| "password" # values of fields named password, and passwords in connection strings
---| "iban" # bank account numbers whose length and check digits are right
---| "card" # payment card numbers whose issuer and check digit are right
---| "national_id" # identity numbers of the US, GB, DE, FR, ES, IT, NL, PL, SE and BR, checked where they can be
---| "email" # e-mail addresses
---| "phone" # phone numbers, international or with the separators of a national form
---| "ip_address" # IPv4 and IPv6 addresses; not part of pii

---@alias perigee.GuardFunction fun(ctx: perigee.Context, text: string): string|boolean|nil, string?

---@class (exact) perigee.Guard
---@field name string in the trace and the audit trail
---@field run perigee.GuardFunction returns nothing where the text passes, what goes on in place of it, or false and why it is refused

---@class (exact) perigee.ToolGuardrails
---@field refuse? perigee.Rule[] for what these find the model reads an error in place of the result
---@field mask? perigee.Rule[] what these find is masked
---@field check? (perigee.GuardFunction|perigee.Guard)[] functions that see each text of a result

---@class (exact) perigee.Guardrails
---@field input? (perigee.Rule|perigee.GuardFunction|perigee.Guard)[] a message in which a rule finds something is refused
---@field output? (perigee.Rule|perigee.GuardFunction|perigee.Guard)[] what a rule finds in an answer is masked
---@field tools? perigee.ToolGuardrails|(perigee.GuardFunction|perigee.Guard)[] what tools bring, before a model reads it

---@class (exact) perigee.Schedule
---@field cron? string minute, hour, day of the month, month, day of the week: "30 6 * * MON-FRI"; either this or every
---@field zone? string whose clocks `cron` means, "Europe/Zurich"; UTC unless said
---@field every? number|string seconds, or "6h"
---@field message? string what the agent is told as the user's message
---@field input? table<string, any> what its script finds in `ctx.input`, beside `scheduled_at`
---@field missed? "once"|"all"|"skip" what becomes of times at which no server was there; "once" unless said

---@class (exact) perigee.Agent
---@field description? string shown to people, and to agents that may delegate here
---@field model? string|string[] a name, or several: the next is tried when one is down; the configured one unless said
---@field temperature? number 0 to 2
---@field max_tokens? integer of one answer
---@field history_tokens? integer tokens of past messages that the model sees at most
---@field compact? boolean|fun(ctx: perigee.Context, messages: perigee.FoldedMessage[]): string? what is older becomes a summary: true asks the model for it
---@field history? integer past messages that the model sees; 20 unless said
---@field tools? string[]|fun(ctx: perigee.Context): string[] names of the tools that its model and its script may call
---@field agents? string[] names of agents that it may delegate to
---@field prompt? string|fun(ctx: perigee.Context): string the model drives: what it is told first; exactly one of prompt, run, steps and states
---@field run? fun(ctx: perigee.Context, input: table): perigee.Answer code drives: returns the answer; exactly one of prompt, run, steps and states
---@field steps? table<string, perigee.Step> data drives: a graph
---@field states? table<string, perigee.State> data drives: a state machine
---@field initial? string the state that it begins in
---@field before? fun(ctx: perigee.Context, message: string): string? input guard: returns the message, changed or not, or rejects it
---@field after? fun(ctx: perigee.Context, reply: perigee.Reply): perigee.Reply|string|nil post-processing: returns the reply
---@field output? table<string, any> schema of a structured answer, which is then in reply.data
---@field limits? perigee.Limits what a turn may use
---@field busy? "queue"|"reject"|"interrupt" what a second message meanwhile does; "queue" unless said
---@field allow? { roles: string[] } who may talk to it; everybody unless said
---@field access? perigee.Access what its own functions may touch
---@field guardrails? perigee.Guardrails what is refused in messages, masked in answers, and kept from the model of what tools bring, on top of the workspace's: `pii`, `secrets`, …
---@field schedules? perigee.Schedule[] when it runs without being asked
---@field stub? fun(ctx: perigee.Context, message: string): perigee.Answer what it answers without a model; may call its tools

---@class (exact) perigee.Tool
---@field description string what it does: the model chooses tools by it
---@field parameters? table<string, any> shorthand for JSON Schema, or a full one: what `run` gets as args
---@field access? perigee.Access what it may touch; nothing unless named
---@field approve? boolean|fun(ctx: perigee.ToolContext, args: table): boolean|string|table|nil a person must agree before it runs; the function says whether, and may name the question's title
---@field timeout? number seconds; 30 unless said
---@field retry? integer further attempts when the error is retryable; 0 unless said
---@field effect? "read"|"write" writes of one model turn run one after another; "write" unless said
---@field unknown? "retry"|"ask"|fun(ctx: perigee.ToolContext, args: table): string, any a call whose end is not known after a crash; "ask" for a write, "retry" for a read unless said
---@field allow? { roles: string[] } on whose behalf it may be called, and offered to a model; everybody unless said
---@field action? boolean true: may be named by queue.publish and runs in a worker; a job is tried 5 times, or as often as `retry` says
---@field run fun(ctx: perigee.ToolContext, args: table): any does it; what it returns goes to the model as JSON

---@class perigee.EvalReply: perigee.Reply
---@field tool_calls { id: string, agent: string?, name: string, arguments: table, result: any, error: table? }[]
---@field error { code: string, message: string }? of a turn that failed
---@field using_stub boolean
---@field usage { input_tokens: integer, output_tokens: integer, cost_usd: number? }

---@class (exact) perigee.ExpectedCall
---@field name string of a tool
---@field arguments? table<string, any> those that count

---@class (exact) perigee.Expectation
---@field contains? string a text that the answer has in it
---@field matches? string a Lua pattern
---@field equals? string the whole answer
---@field data? table<string, any> the members that count
---@field tool_called? string|perigee.ExpectedCall a tool that is called
---@field not_called? string a tool that is not called
---@field error? string a code, such as "rejected"
---@field judge? string a question for a model, which answers yes or no
---@field cost_usd_max? number what the turn may cost
---@field check? fun(reply: perigee.EvalReply): boolean?, string? raises, or returns false and why

---@class (exact) perigee.EvalDecision
---@field decision string one of the choices, such as "approve"
---@field comment? string
---@field values? table<string, any> what the form asks for

---@class (exact) perigee.EvalTurn
---@field user string what the user says
---@field input? table<string, any> what the caller sends beside it
---@field decide? string|perigee.EvalDecision|(string|perigee.EvalDecision)[] what people answer to what it asks of them
---@field expect? perigee.Expectation|perigee.Expectation[] what has to come of it

---@class (exact) perigee.EvalUser
---@field id string without the tenant
---@field tenant? string
---@field name? string
---@field roles? string[]

---@class (exact) perigee.Eval
---@field name string what it shows; its recording is named after it
---@field agent string its name
---@field as? string|perigee.EvalUser on whose behalf; "local", who may do everything, unless said
---@field now? string what time.now says, "2026-01-01T12:00:00Z" unless said
---@field turns perigee.EvalTurn[] what the user says, and what is expected

---@class perigee.Error
---@field code string
---@field message string
---@field retryable boolean
---@field detail any
