-- Attack: Waits for the host in a __close handler after the run has timed out.
-- Expect: timeout

return {
  limits = { seconds = 1 },
  run = function(ctx, input)
    local guard <close> = setmetatable({}, { __close = function() time.sleep(3600) end })
    time.sleep(3600)
  end, -- perigee: ignore P132 because it is the attack
}
