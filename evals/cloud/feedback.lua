-- Online evaluation: thumbs of users, by the version of the scripts that answered.

local answers = require("lib.cloud.answers")

---@type perigee.Eval[]
return {
  {
    name = "a thumb counts for the last answer and its version",
    agent = "cloud.support",
    as = { id = "ada", name = "Ada", roles = { "user" } },
    turns = {
      { user = "How long does delivery take?" },
      {
        user = "thumbs down",
        expect = {
          tool_called = { name = "rate_answer", arguments = { thumb = "down" } },
          check = function(reply)
            local call = reply.tool_calls[1].result
            local row = db.query("select run_id, version, thumb, user_id from feedback")[1]
            return row.run_id == call.run_id and row.version == call.version and row.version:find("^sha256:")
              and row.thumb == "down" and row.user_id == "ada"
          end,
        },
      },
    },
  },
  {
    name = "there is nothing to rate before the first answer",
    agent = "cloud.feedback",
    turns = { { user = "up", input = { run_id = "nobody's" }, expect = { error = "not_found" } } },
  },
  {
    name = "a thumb is up or down",
    agent = "cloud.feedback",
    turns = { { user = "sideways", expect = { error = "rejected" } } },
  },
  {
    name = "operators see how versions were rated",
    agent = "cloud.insights",
    as = { id = "olga", name = "Olga", roles = { "operator" } },
    turns = { { user = "How are we doing?", expect = { contains = "Nobody", tool_called = "summarize_feedback" } } },
  },
  {
    name = "users do not",
    agent = "cloud.insights",
    as = { id = "ada", name = "Ada", roles = { "user" } },
    turns = { { user = "How are we doing?", expect = { error = "denied", not_called = "summarize_feedback" } } },
  },
  {
    name = "an answer is found by its run, the last one without it, and old ones are forgotten",
    agent = "cloud.support",
    turns = {
      {
        user = "hello",
        expect = {
          check = function()
            local ctx = { run = {}, session = { state = {} } }
            for i = 1, 60 do
              ctx.run = { id = "run " .. i, version = "version " .. i // 30 }
              answers.note(ctx)
            end
            assert(answers.find(ctx).run_id == "run 59")
            assert(answers.find(ctx, "run 20").version == "version 0")
            assert(answers.find(ctx, "run 10") == nil)
          end,
        },
      },
    },
  },
}
