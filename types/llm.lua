---@meta

---@class (exact) perigee.ChatMessage
---@field role "system"|"user"|"assistant"
---@field content string
---@class (exact) perigee.ChatRequest
---@field messages perigee.ChatMessage[]
---@field model? string|string[] the agent's, then the configured default, unless said
---@field tools? string[] names of the workspace's tools that the model may ask for
---@field output? table<string, any> schema of a structured answer, which is then in `data`
---@field temperature? number
---@field max_tokens? integer
---@class (exact) perigee.ChatAnswer
---@field text string
---@field data any with `output`, unless the model asks for tools or stops short (`finish_reason`)
---@field tool_calls { id: string, name: string, arguments: table }[]
---@field model string
---@field finish_reason string
---@field usage { input_tokens: integer, output_tokens: integer }

---Language models, on the run's budget.
---@class llmlib
llm = {}

---Asks a model and waits for its answer.
---Capability: `access = { llm = true }`
---@async
---@param request perigee.ChatRequest the conversation
---@return perigee.ChatAnswer
function llm.chat(request) end
