-- Attack: Fills in a template of open braces only.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do pcall(text.template, ("{"):rep(300000) .. "x", {}) end
  end,
}
