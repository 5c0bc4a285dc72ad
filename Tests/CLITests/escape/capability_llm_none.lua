-- Attack: Asks a model beside the budget of its turn, again and again.
-- Expect: reply false upstream

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    local ok, why
    for _ = 1, 3 do
      ok, why = pcall(llm.chat, { messages = { { role = "user", content = "x" } } })
    end
    return tostring(ok) .. " " .. why.code
  end,
}
