-- The batch: what it takes, and who may start it. What workers do of it is not seen here: evals do no jobs.

---@type perigee.Eval[]
return {
  {
    name = "a batch analyses all documents that wait",
    agent = "orchestrator",
    turns = {
      { user = "submit: The pot came broken.", expect = { equals = "Handed in as document 1." } },
      { user = "submit: Thank you.", expect = { tool_called = "submit_document" } },
      { user = "file: Filed ones do not wait." },
      { user = "batch", expect = { contains = "2 of 2 documents analysed.", tool_called = "waiting_documents" } },
    },
  },
  {
    name = "an empty inbox is no error",
    agent = "orchestrator.batch",
    turns = { { user = "go", expect = { equals = "0 of 0 documents analysed." } } },
  },
  {
    name = "users cannot start a batch",
    agent = "orchestrator.batch",
    as = { id = "ada", name = "Ada", roles = { "user" } },
    turns = { { user = "go", expect = { error = "denied", not_called = "waiting_documents" } } },
  },
  {
    name = "users see what they handed in",
    agent = "orchestrator",
    as = { id = "ada", name = "Ada", roles = { "user" } },
    turns = {
      { user = "submit: The pot came broken." },
      { user = "documents", expect = { tool_called = "list_documents", contains = "The pot came broken." } },
    },
  },
}
