-- Attack: Searches plain text made to be slow.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local s, p = ("a"):rep(1000000), ("a"):rep(500000) .. "b"
    while true do s:find(p, 1, true) end
  end,
}
