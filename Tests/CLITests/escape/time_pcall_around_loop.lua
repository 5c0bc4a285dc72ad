-- Attack: Catches the end of its own endless loop, for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do
      pcall(function() while true do end end)
    end
  end,
}
