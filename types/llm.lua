---@meta

---@class (exact) perigee.ChatMessage
---@field role "system"|"user"|"assistant"
---@field content string|perigee.ChatPart[] parts are for users' messages
---@class (exact) perigee.ChatPart
---@field type "text"|"image_url"
---@field text? string
---@field image_url? { url: string, detail?: "auto"|"low"|"high" } `https://…`, or `data:image/png;base64,…`
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
---@field usage { input_tokens: integer, output_tokens: integer, estimated?: boolean }
---@class (exact) perigee.StreamRequest: perigee.ChatRequest
---@field on_token fun(text: string) gets each piece of the answer, in order; may wait, and the provider waits with it
---@class (exact) perigee.EmbeddingRequest
---@field model string vectors of different models cannot be compared: there is no default and no fallback
---@field input string|string[] a string counts as a list of one
---@field dimensions? integer length of each vector; the model's own unless said
---@class (exact) perigee.Embeddings
---@field vectors number[][]
---@field model string
---@field usage { input_tokens: integer, output_tokens: integer, estimated?: boolean }

---Language models, on the run's budget.
---@class llmlib
llm = {}

---Asks a model and waits for its answer.
---Capability: `access = { llm = true }`
---@async
---@param request perigee.ChatRequest the conversation
---@return perigee.ChatAnswer
function llm.chat(request) end

---Asks a model as `llm.chat` does, and hands over each piece of the answer as it comes. An error in `on_token` ends the call, the request to the provider included. With `output` there is one piece: the answer that fits.
---Capability: `access = { llm = true }`
---@async
---@param request perigee.StreamRequest the conversation, and `on_token`
---@return perigee.ChatAnswer
function llm.stream(request) end

---Turns texts into vectors, one for each text and in their order.
---Capability: `access = { llm = true }`
---@async
---@param request perigee.EmbeddingRequest the texts
---@return perigee.Embeddings
function llm.embed(request) end
