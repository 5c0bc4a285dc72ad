// SPDX-License-Identifier: Apache-2.0

extension Prelude {
  /// The open transactions of a run, and what works in them.
  static let transactions = #"""
    -- Transactions -----------------------------------------------------------

    -- The open transaction of each coroutine, by its number; its own branches and coroutines work in it, too.
    local weak = { __mode = "k" }

    local function transactions()
      local run = host.run()
      run.transactions = run.transactions or setmetatable({}, weak)
      return run.transactions
    end

    local function current()
      local open = host.run().transactions
      return open and open[coroutine.running()] or 0
    end

    -- Makes a function work in the transaction in which it was handed over.
    local function adopting(fn)
      local number = current()
      if number == 0 then return fn end
      return function(...)
        transactions()[coroutine.running()] = number
        return fn(...)
      end
    end

    local create, wrap = coroutine.create, coroutine.wrap
    globals.coroutine = {
      create = function(fn) return create(adopting(fn)) end,
      wrap = function(fn) return wrap(adopting(fn)) end,
    }

    local function transaction(body)
      if type(body) ~= "function" then argument("db.transaction", "function", body) end
      if current() ~= 0 then fault("invalid_arguments", "a db.transaction is already open here") end
      local open, here = transactions(), coroutine.running()
      local number = call["_db.begin"]()
      open[here] = number
      local results = table.pack(pcall(body))
      open[here] = nil
      if not results[1] then
        call["_db.rollback"](number)
        error(results[2], 0)
      end
      call["_db.commit"](number)
      return table.unpack(results, 2, results.n)
    end

    -- What is called in a transaction works in it.
    globals.tools = { call = function(...) return call["_tools.call"](current(), ...) end }
    globals.agents = { run = function(...) return call["_agents.run"](current(), ...) end }

    globals.db = {
      query = function(...) return call["_db.query"](current(), ...) end,
      exec = function(...) return call["_db.exec"](current(), ...) end,
      transaction = transaction,
    }

    globals.queue = { publish = function(...) return call["_queue.publish"](current(), ...) end }
    """#
}
