-- Attack: Rejects with bytes that are not UTF-8.
-- Expect: rejected

return {
  before = function(ctx, message) reject("\xff\0\r\nx") end,
  run = function(ctx, input) return "ran" end,
}
