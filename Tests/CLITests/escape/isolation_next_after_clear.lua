-- Attack: Changes a table while next, pairs and json.encode walk it.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 1000 do t["k" .. i] = i end
    for key in pairs(t) do
      t[key] = nil
      t["n" .. key] = 1
    end
    error("came back")
  end,
}
