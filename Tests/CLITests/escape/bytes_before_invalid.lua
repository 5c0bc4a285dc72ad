-- Attack: Changes the message to bytes that are not UTF-8.
-- Expect: internal

return {
  before = function(ctx, message) return "\xff\0" end,
  run = function(ctx, input) return "ran" end,
}
