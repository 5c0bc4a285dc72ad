-- Attack: Changes the mark of all lists.
-- Expect: internal

return {
  run = function(ctx, input)
    getmetatable(json.array({})).__index = { leak = 1 }
    return tostring(json.array({}).leak)
  end,
}
