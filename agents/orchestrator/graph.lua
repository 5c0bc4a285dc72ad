-- A graph: B waits for A, C for B, D for A and B. C and D are independent, so they run beside each other.

---@type perigee.Agent
return {
  description = "Analyses a document, answers its writer, and files it.",
  guardrails = { input = { "malicious_code" }, output = { "pii" } },
  limits = { seconds = 120 },

  steps = {
    -- Takes the document in.
    A = {
      run = function(ctx)
        local document = ctx.input.message:match("^%s*(.-)%s*$")
        return { document = document, characters = utf8.len(document) }
      end,
    },
    -- Finds out what it is about.
    B = {
      agent = "orchestrator.analyst",
      needs = { "A" },
      input = function(_, results) return results.A.document end,
      retry = { attempts = 3, backoff = "1s" },
      timeout = "30s",
    },
    -- Writes what its writer is told.
    C = {
      needs = { "B" },
      run = function(_, results)
        return ("Thank you. We read it as: %s. %s"):format(
          results.B.topic,
          results.B.urgent and "Somebody will call you today." or "You will hear from us this week."
        )
      end,
    },
    -- Files it.
    D = {
      tool = "file_document",
      needs = { "A", "B" },
      input = function(_, results)
        return { document = results.A.document, topic = results.B.topic, summary = results.B.summary }
      end,
      retry = { attempts = 3, backoff = "1s" },
    },
  },

  after = function(_, reply)
    reply.text = ("%s (Filed as document %d.)"):format(reply.data.C, reply.data.D.id)
    return reply
  end,
}
