-- Attack: Opens a transaction in a branch of a transaction.
-- Expect: internal already open

return {
  access = { db = "write" },
  limits = { seconds = 2 },
  run = function(ctx, input)
    db.transaction(function()
      parallel{ function() db.transaction(function() end) end }
    end)
  end, -- perigee: ignore P132 because it is the attack
}
