-- Attack: Passes a chunk off as another file in messages.
-- Expect: internal

return {
  run = function(ctx, input)
    load("error('from afar')", "@agents/neighbour.lua")()
    return "went on"
  end,
}
