-- Attack: Returns data that hold themselves.
-- Expect: internal a cycle

return {
  run = function(ctx, input)
    local t = {}
    t.t = t
    return { text = "data", data = t }
  end,
}
