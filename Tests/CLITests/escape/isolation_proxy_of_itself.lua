-- Attack: Makes a table the proxy of itself and walks it with every function that looks through proxies.
-- Expect: limit|internal

return {
  run = function(ctx, input)
    local t = {}
    setmetatable(t, { __target = t, __index = t, __len = function() return 1 end })
    pcall(next, t)
    pcall(rawlen, t)
    pcall(rawget, t, "x")
    pcall(rawset, t, "x", 1)
    pcall(pairs, t)
    pcall(ipairs, t)
    pcall(table.unpack, t)
    pcall(table.concat, t)
    pcall(json.encode, t)
    pcall(time.sleep, t)
    error("all came back")
  end,
}
