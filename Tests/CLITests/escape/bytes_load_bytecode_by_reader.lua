-- Attack: Loads bytecode in pieces.
-- Expect: internal

return {
  run = function(ctx, input)
    local pieces = { "\27", "Lu", "a" }
    assert(load(function() return table.remove(pieces, 1) end))
    return "loaded"
  end,
}
