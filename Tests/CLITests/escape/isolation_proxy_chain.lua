-- Attack: Makes a chain of ten thousand proxies.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = {}
    for _ = 1, 10000 do t = setmetatable({}, { __target = t }) end
    pcall(next, t)
    pcall(rawlen, t)
    pcall(time.sleep, t)
    error(select(2, pcall(json.encode, t)))
  end,
}
