-- Attack: Loads bytecode in the mode for it.
-- Expect: internal only text

return {
  run = function(ctx, input)
    assert(load("\27Lua", "x", "b"))
    return "loaded"
  end,
}
