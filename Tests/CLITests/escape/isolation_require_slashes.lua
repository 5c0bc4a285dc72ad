-- Attack: Requires a path with slashes.
-- Expect: internal require takes a module

return {
  run = function(ctx, input)
    return require("../../etc/passwd")
  end,
}
