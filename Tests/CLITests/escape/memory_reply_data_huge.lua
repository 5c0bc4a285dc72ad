-- Attack: Returns data that are small in memory and three megabytes as JSON.
-- Expect: internal

return {
  run = function(ctx, input)
    local s, t = ("x"):rep(100000), {}
    for i = 1, 30 do t[i] = s end
    return { text = "data", data = t }
  end,
}
