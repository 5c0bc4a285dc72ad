-- Attack: Rejects with a reason of eight megabytes.
-- Expect: rejected

return {
  before = function(ctx, message) reject(("x"):rep(8 << 20)) end,
  run = function(ctx, input) return "ran" end,
}
