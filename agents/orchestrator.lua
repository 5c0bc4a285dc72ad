-- The door to the other agents of the orchestrator: finds out what somebody wants, and who can do it.

local capabilities = require("lib.orchestrator.capabilities")

local HELP = "I can have a document analysed, filed or handed in for the next batch, and a notice written or "
  .. "published. Try: analyse: My order is late and I am angry."

-- What it does itself, without another agent; the rest is handed over.
local OWN = {
  submit = function(body)
    return ("Handed in as document %d."):format(tools.call("submit_document", { body = body or "" }).id)
  end,
  documents = function() return tools.call("list_documents") end,
  notices = function() return tools.call("list_notices") end,
}

local function told(result) return type(result) == "string" and result or json.encode(result) end

local function hand_over(request, task)
  local agent = capabilities.asked(request)
  if not agent then return { text = HELP, data = { capabilities = tools.call("list_capabilities") } } end
  local answer = agents.run(agent, task)
  local said = answer.text ~= "" and answer.text or told(answer.data)
  return { text = said, data = { agent = agent, result = answer.data } }
end

---@type perigee.Agent
return {
  description = "Hands a request to the agent that can do it.",
  tools = { "list_capabilities", "submit_document", "list_documents", "list_notices" },
  agents = {
    "orchestrator.graph", "orchestrator.analyst", "orchestrator.writer", "orchestrator.publication",
    "orchestrator.batch",
  },
  limits = { steps = 4, seconds = 180 },
  guardrails = { input = { "malicious_code" } },

  prompt = [[
You are the front desk of a team of agents. You hand each request to exactly one of them and report what came of it.
- Look at what each can do: list_capabilities says it in single words, the descriptions of your tools in sentences.
- A document that shall only be understood goes to the analyst, one that shall be answered and filed to the graph. A
  text that shall only be written goes to the writer, one that shall appear to the publication.
- A document that has time is handed in with submit_document; the next batch analyses it. The batch runs by itself:
  start it only for somebody who asks for just that. list_documents and list_notices show what there is.
- Hand over the user's own words, without the part that says what to do with them. Add nothing.
- If a part that the agent needs is missing, ask for it in one sentence and hand over nothing.
- Report the result as it is, in at most three sentences. If the agent failed, say so and say why.]],

  -- "analyse: some text", "publish: a new tea", "submit: some text", "documents".
  stub = function(_, message)
    local request, task = message:match("^([^:]*):%s*(.+)$")
    request = (request or message):lower()
    local mine = OWN[request]
    if mine then return told(mine(task)) end
    return hand_over(request, task or message)
  end,
}
