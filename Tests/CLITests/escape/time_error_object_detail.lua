-- Attack: Raises a host's error whose detail nests without end.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = {}
    t.t = t
    error({ code = "internal", message = "nested", detail = t })
  end,
}
