-- Attack: Reads variables that scripts.env does not list.
-- Expect: reply nil nil

return {
  run = function(ctx, input)
    return tostring(ctx.env.PATH) .. " " .. tostring(ctx.env.OPENAI_API_KEY)
  end,
}
