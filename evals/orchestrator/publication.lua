-- The state machine, with what people decide in it, and what it does about errors.

local drafts = require("lib.orchestrator.drafts")
local recovery = require("lib.orchestrator.recovery")

local GOOD = ("word "):rep(20)
local REJECTED = { error = { code = "denied", message = "a person rejected it: more about the price" } }

local function goes_on(results, state)
  local to = recovery.next_state(recovery.problem(results))
  assert(to == state, ("%s in place of %s"):format(to, state))
end

---@type perigee.Eval[]
return {
  {
    name = "a topic that says nothing is an error that is not tried again",
    agent = "orchestrator.publication",
    turns = {
      {
        user = "x",
        expect = {
          data = { ERROR = { state = "START", code = "invalid_arguments", times = 1 } },
          contains = "Not published: what is it about?",
        },
      },
    },
  },
  {
    name = "a draft that stays faulty goes back twice and is never published",
    agent = "orchestrator.publication",
    turns = {
      {
        user = "lorem",
        expect = {
          data = { ERROR = { state = "PROCESSING", code = "faulty", times = 3 } },
          contains = "placeholder",
          not_called = "publish_notice",
        },
      },
    },
  },
  {
    name = "a notice is published once a person has agreed",
    agent = "orchestrator.publication",
    turns = {
      {
        user = "a new tea in the kitchen",
        decide = "approve",
        expect = {
          contains = "Published as notice 1",
          tool_called = "publish_notice",
          -- The first draft without a model is too short, and goes back before anybody sees it.
          data = { COMPLETE = { rewrites = 1 } },
        },
      },
    },
  },
  {
    name = "what a person sends back is written again, with what they said",
    agent = "orchestrator.publication",
    turns = {
      {
        user = "a new tea in the kitchen",
        decide = { { decision = "reject", comment = "say where it comes from" }, "approve" },
        expect = { contains = "Published as notice 1", data = { COMPLETE = { rewrites = 2 } } },
      },
    },
  },
  {
    name = "what may not be published does not even begin",
    agent = "orchestrator.publication",
    turns = { { user = "Ada moves to ada@example.com", expect = { error = "rejected" } } },
  },
  {
    name = "the way out of ERROR depends on what went wrong",
    agent = "orchestrator.writer",
    turns = {
      {
        user = "a new tea",
        expect = {
          check = function()
            local start = { topic = "tea" }
            goes_on({ START = start, PROCESSING = "short" }, "PROCESSING")
            goes_on({ START = start, PROCESSING = GOOD, REVIEW = REJECTED, ERROR = { times = 1 } }, "PROCESSING")
            goes_on({ START = start, PROCESSING = GOOD, REVIEW = REJECTED, ERROR = { times = 2 } }, nil)
            goes_on({ START = start, PROCESSING = GOOD, REVIEW = { error = { code = "timeout" } } }, nil)
            goes_on({ START = { error = { code = "invalid_arguments" } } }, nil)
          end,
        },
      },
    },
  },
  {
    name = "drafts that are short or have placeholders have faults",
    agent = "orchestrator.writer",
    turns = {
      {
        user = "a new tea",
        expect = {
          check = function()
            assert(#drafts.faults(GOOD) == 0)
            assert(#drafts.faults(GOOD .. "tbd") == 1)
            assert(#drafts.faults("lorem ipsum") == 2)
          end,
        },
      },
    },
  },
}
