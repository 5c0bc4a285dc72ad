-- Attack: Fills in a hundred thousand names, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local template, values = ("{a}"):rep(100000), { a = "x" }
    while true do text.template(template, values) end
  end,
}
