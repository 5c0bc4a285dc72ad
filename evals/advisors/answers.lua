-- What advisors must answer, by their personalities and the rules of their business.

---@type perigee.Eval[]
return {
  {
    name = "money that is needed soon is at high risk in shares",
    agent = "agent_alpha",
    turns = {
      {
        user = "I have 10000 EUR for 2 years. Shall I buy shares?",
        expect = {
          data = {
            assessment = { risk = "high", horizon_years = 2 },
            personality_context = { type = "analytical" },
            business_context = { domain = "financial_advisor", specialization = "investment_strategy" },
            session_metadata = {
              created_at = "2026-01-01T12:00:00.000Z",
              last_activity = "2026-01-01T12:00:00.000Z",
              message_count = 2,
            },
          },
          contains = "not personal advice",
          matches = "[Rr]isk",
        },
      },
      { user = "And for 20 years?", expect = { data = { assessment = { risk = "low", horizon_years = 20 } } } },
      { user = "20 years, in funds?", expect = { data = { assessment = { risk = "medium" } } } },
    },
  },
  {
    name = "a creative advisor keeps the rules of finance, too",
    agent = "advisors.budget",
    turns = {
      {
        user = "I want to borrow 500 EUR for a holiday",
        expect = {
          data = { assessment = { risk = "high", reason = "borrow" }, personality_context = { type = "creative" } },
          contains = "not personal advice",
          matches = "[Rr]isk",
        },
      },
    },
  },
  {
    name = "a campaign has an audience and a format",
    agent = "agent_beta",
    turns = {
      {
        user = "A newsletter for night nurses",
        expect = {
          data = { assessment = { audience = "night nurses", format = "email" } },
          contains = "night nurses",
          judge = "Is the text enthusiastic, and does it address nurses who work at night?",
        },
      },
      {
        user = "Now a headline",
        input = { audience = "students" },
        expect = { data = { assessment = { audience = "students", format = "headline" } } },
      },
    },
  },
  {
    name = "the same question is taken soberly by the editor",
    agent = "advisors.editor",
    turns = {
      {
        user = "A newsletter for night nurses",
        expect = {
          data = {
            personality_context = {
              type = "analytical",
              traits = { "data-driven", "systematic", "logical-reasoning" },
            },
          },
        },
      },
    },
  },
  {
    name = "support gives numbered steps and asks for what is missing",
    agent = "advisors.support",
    turns = {
      {
        user = "My wifi is slow",
        expect = {
          data = {
            assessment = {
              area = "network",
              missing = { "the system and its version", "the exact words of the error" },
            },
          },
          matches = "1%. .+2%. ",
        },
      },
      {
        user = "Windows says: login failed, code 17",
        expect = { data = { assessment = { area = "account", system = "windows", missing = {} } } },
      },
    },
  },
}
