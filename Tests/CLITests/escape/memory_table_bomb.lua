-- Attack: Fills a table without end.
-- Expect: limit

return {
  run = function(ctx, input)
    local t = {}
    while true do t[#t + 1] = { #t } end
  end,
}
