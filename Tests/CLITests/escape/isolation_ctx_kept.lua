-- Attack: Keeps ctx for the next turn, of another session.
-- Expect: reply nil

local kept
return {
  run = function(ctx, input)
    local before = tostring(kept)
    kept = ctx
    return before
  end,
}
