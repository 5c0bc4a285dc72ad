// SPDX-License-Identifier: Apache-2.0

/// What is run: agents that leave a count of everything that they have done.
enum Scripts {
  static let files = [
    "agents/flow.lua": """
    -- Each call of work says how often it was done so far; the last time is the one that counts.
    return { tools = { "work" }, access = { queue = true }, run = function(ctx, input)
      local seen = { tools.call("work") }
      local r = parallel{
        a = function() local n = tools.call("work") time.sleep(1) return { n, tools.call("work") } end,
        b = function() time.sleep(2) return { tools.call("work") } end,
        c = function()
          return parallel.map({ 1, 2, 3 }, function(i) time.sleep(i / 10) return tools.call("work") end, { limit = 2 })
        end,
      }
      for _, name in ipairs{ "a", "b", "c" } do
        for _, n in ipairs(r[name]) do seen[#seen + 1] = n end
      end
      queue.publish("job", { order = input.order }, { key = "orders", delay = input.order % 3 })
      if input.order % 2 == 0 then time.sleep(40) end
      seen[#seen + 1] = tools.call("work")
      return json.encode(seen)
    end }
    """,
    "agents/steps.lua": """
    return { access = { queue = true }, steps = {
      list = { run = function() return { 1, 2, 3 } end },
      each = { needs = { "list" }, for_each = "list", limit = 2, tool = "work" },
      ask = { needs = { "each" }, approval = "Go on?" },
      last = { needs = { "ask" }, tool = "work" },
      all = { needs = { "last" }, run = function(ctx, r)
        local seen = {}
        for _, n in ipairs(r.each) do seen[#seen + 1] = n end
        seen[#seen + 1] = r.last
        return json.encode(seen)
      end },
    } }
    """,
    "agents/talk.lua": """
    return { prompt = "Talk.", history = 2 }
    """,
    "tools/work.lua": """
    return {
      work = {
        description = "Counts how often this very call was made.", access = { kv = "write" }, unknown = "retry",
        run = function(ctx) return kv.incr("done:" .. ctx.call.key) end,
      },
      job = {
        description = "Does an order, after those before it.", action = true, access = { kv = "write" },
        parameters = { order = "integer" }, unknown = "retry",
        run = function(ctx, args)
          if kv.incr("tried:" .. args.order) % 3 == 1 then error({ code = "upstream", message = "later", retryable = true }) end
          kv.incr("orders:" .. args.order)
          return true
        end,
      },
    }
    """,
  ]
}
