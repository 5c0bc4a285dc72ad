-- The graph, the agents that it calls, and the door to them.

---@type perigee.Eval[]
return {
  {
    name = "the graph analyses, answers and files a document",
    agent = "orchestrator.graph",
    as = { id = "ada", name = "Ada" },
    turns = {
      {
        user = "My order is late. Please call me today.",
        expect = {
          tool_called = { name = "file_document", arguments = { topic = "complaint", summary = "My order is late." } },
          data = { D = { id = 1 } },
          matches = "complaint.+today.+document 1",
          check = function()
            local row = db.query("select user_id, topic from documents where id = 1")[1]
            return row.user_id == "ada" and row.topic == "complaint"
          end,
        },
      },
    },
  },
  {
    name = "the analyst tells topics apart and how urgent they are",
    agent = "orchestrator.analyst",
    turns = {
      { user = "The pot came broken.", expect = { data = { topic = "complaint", urgent = false } } },
      { user = "I would like to buy two pots today.", expect = { data = { topic = "order", urgent = true } } },
      { user = "Thank you, lovely tea!", expect = { data = { topic = "praise", urgent = false } } },
    },
  },
  {
    name = "a request goes to the agent that can do it",
    agent = "orchestrator",
    turns = {
      {
        user = "analyse: The pot came broken.",
        expect = { data = { agent = "orchestrator.analyst", result = { topic = "complaint" } } },
      },
      {
        user = "file: Thank you for the tea.",
        expect = { data = { agent = "orchestrator.graph" }, tool_called = "file_document" },
      },
      { user = "write: a new tea", expect = { data = { agent = "orchestrator.writer" }, contains = "new tea" } },
      {
        user = "hello",
        expect = {
          tool_called = "list_capabilities",
          data = {
            capabilities = {
              DOCUMENT_ANALYSIS = { "orchestrator.graph", "orchestrator.analyst" },
              API_INTEGRATION = { "orchestrator.batch" },
            },
          },
        },
      },
    },
  },
}
