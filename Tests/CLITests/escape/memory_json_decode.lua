-- Attack: Decodes a text whose tables are far larger than itself.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = "[" .. ("[],"):rep(1000000) .. "[]]"
    local kept = {}
    while true do kept[#kept + 1] = json.decode(s) end
  end,
}
