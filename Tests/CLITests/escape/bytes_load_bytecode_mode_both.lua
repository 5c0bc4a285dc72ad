-- Attack: Loads bytecode in the mode for both.
-- Expect: internal

return {
  run = function(ctx, input)
    assert(load("\27LuaS", "x", "bt"))
    return "loaded"
  end,
}
