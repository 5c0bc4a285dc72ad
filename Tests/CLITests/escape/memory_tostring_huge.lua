-- Attack: Describes itself in a megabyte, in an error and in the log.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = setmetatable({}, {
      __tostring = function() return ("x"):rep(1 << 20) end, __name = ("n"):rep(1 << 20),
    })
    print(t)
    time.sleep(t)
  end, -- perigee: ignore P132 because it is the attack
}
