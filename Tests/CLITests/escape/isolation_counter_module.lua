-- Attack: Counts its turns in a module that other agents require.
-- Expect: reply 1 1

return {
  run = function(ctx, input)
    local shared = require("lib.shared")
    shared.count = shared.count + 1
    return shared.count .. " " .. shared.next()
  end,
}
