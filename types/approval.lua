---@meta

---@class (exact) perigee.ApprovalRequest
---@field title string what is asked, in one line
---@field detail? any what the answer is about; it holds for nothing else
---@field timeout? number|string seconds, or "48h" (s, m, h, d); without it there is no end
---@field fields? table<string, any> what is to be filled in, as a tool's `parameters`
---@field by? { roles: string[] } who may decide; the user themselves, or an operator, unless said
---@class (exact) perigee.ApprovalAnswer
---@field approved boolean
---@field decision "approve"|"reject"|"expired"
---@field comment? string
---@field by? string id of the user who decided
---@field values? table<string, any> what was filled in

---Questions to people. The run leaves memory while it waits, and goes on when they have decided, be it days or restarts later.
---@class approvallib
approval = {}

---Asks a person and waits for the answer.
---@async
---@param request perigee.ApprovalRequest the question
---@return perigee.ApprovalAnswer
function approval.request(request) end
