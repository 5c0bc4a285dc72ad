-- Attack: Returns data that nest a thousand deep.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = {}
    for _ = 1, 1000 do t = { t } end
    return { text = "data", data = t }
  end,
}
