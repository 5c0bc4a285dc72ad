-- Attack: Requires the tools of another file.
-- Expect: internal require takes a module

return {
  run = function(ctx, input)
    return require("tools.ledger")
  end,
}
