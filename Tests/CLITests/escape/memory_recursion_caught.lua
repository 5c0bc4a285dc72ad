-- Attack: Calls itself without end in protected calls.
-- Expect: limit

return {
  run = function(ctx, input)
    local function f() pcall(f) end
    while true do f() end
  end,
}
