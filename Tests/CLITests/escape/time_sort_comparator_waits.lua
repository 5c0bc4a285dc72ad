-- Attack: Waits for the host in a comparator.
-- Expect: internal has to wait

return {
  run = function(ctx, input)
    table.sort({ 3, 2, 1 }, function() time.sleep(60) return true end)
  end, -- perigee: ignore P132 because it is the attack
}
