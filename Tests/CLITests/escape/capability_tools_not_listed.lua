-- Attack: Calls a tool that it does not list.
-- Expect: internal

return {
  run = function(ctx, input)
    return tostring(tools.call("ledger_add", { text = "x" }).id) -- perigee: ignore W218 because it is the attack
  end,
}
