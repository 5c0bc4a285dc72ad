---@meta _

---@class (exact) perigee.User
---@field id string
---@field name string
---@field roles string[]
---@field claims table<string, any>

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
---@field version string
---@field agent string

---@class (exact) perigee.Call
---@field id string
---@field key string the idempotency key: the same on every attempt
---@field attempt integer

---@class (exact) perigee.Context
---@field user perigee.User
---@field session perigee.Session
---@field run perigee.Run
---@field input table<string, any>
---@field env table<string, string>

---@class (exact) perigee.ToolContext: perigee.Context
---@field call perigee.Call

---@class perigee.Reply
---@field text string
---@field data any
---@field tool_calls { id: string, name: string, arguments: table, result: any, error: table? }[]

---@alias perigee.Answer string|{ text: string?, data: any }

---@class (exact) perigee.Limits
---@field steps? integer calls of the model
---@field seconds? number
---@field tokens? integer
---@field cost_usd? number

---@class (exact) perigee.Access
---@field db? "read"|"write"
---@field kv? "read"|"write"
---@field http? string[] hosts, as "api.example.com", "*.example.org:8443" or "GET,HEAD api.example.com"
---@field llm? boolean

---@class (exact) perigee.FoldedMessage
---@field role "user"|"assistant"|"tool"|"summary"
---@field text string

---@class (exact) perigee.Agent
---@field description? string
---@field model? string|string[]
---@field temperature? number
---@field max_tokens? integer
---@field history_tokens? integer
---@field compact? boolean|fun(ctx: perigee.Context, messages: perigee.FoldedMessage[]): string?
---@field history? integer
---@field tools? string[]|fun(ctx: perigee.Context): string[]
---@field agents? string[]
---@field prompt? string|fun(ctx: perigee.Context): string
---@field run? fun(ctx: perigee.Context, input: table): perigee.Answer
---@field before? fun(ctx: perigee.Context, message: string): string?
---@field after? fun(ctx: perigee.Context, reply: perigee.Reply): perigee.Reply|string|nil
---@field output? table<string, any>
---@field limits? perigee.Limits
---@field busy? "queue"|"reject"|"interrupt"
---@field allow? { roles: string[] }
---@field access? perigee.Access
---@field stub? fun(ctx: perigee.Context, message: string): perigee.Answer

---@class (exact) perigee.Tool
---@field description string
---@field parameters? table<string, any>
---@field access? perigee.Access
---@field approve? false
---@field timeout? number
---@field retry? integer
---@field effect? "read"|"write"
---@field unknown? "retry"|"ask"|fun(ctx: perigee.ToolContext, args: table): string, any
---@field action? false
---@field run fun(ctx: perigee.ToolContext, args: table): any

---@class perigee.EvalReply: perigee.Reply
---@field tool_calls { id: string, agent: string?, name: string, arguments: table, result: any, error: table? }[]
---@field error { code: string, message: string }? of a turn that failed
---@field using_stub boolean
---@field usage { input_tokens: integer, output_tokens: integer, cost_usd: number? }

---@class (exact) perigee.ExpectedCall
---@field name string
---@field arguments? table<string, any> those that count

---@class (exact) perigee.Expectation
---@field contains? string
---@field matches? string a Lua pattern
---@field equals? string
---@field data? table<string, any> the members that count
---@field tool_called? string|perigee.ExpectedCall
---@field not_called? string
---@field error? string a code, such as "rejected"
---@field judge? string a question for a model, which answers yes or no
---@field cost_usd_max? number
---@field check? fun(reply: perigee.EvalReply): boolean?, string? raises, or returns false and why

---@class (exact) perigee.EvalTurn
---@field user string what the user says
---@field input? table<string, any> what the caller sends beside it
---@field expect? perigee.Expectation|perigee.Expectation[]

---@class (exact) perigee.EvalUser
---@field id string
---@field name? string
---@field roles? string[]

---@class (exact) perigee.Eval
---@field name string
---@field agent string
---@field as? string|perigee.EvalUser on whose behalf; "local", who may do everything, unless said
---@field now? string what time.now says, "2026-01-01T12:00:00Z" unless said
---@field turns perigee.EvalTurn[]

---@class perigee.Error
---@field code string
---@field message string
---@field retryable boolean
---@field detail any
