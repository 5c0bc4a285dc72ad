-- Attack: Replaces a function of a module that other agents require.
-- Expect: reply 1

return {
  run = function(ctx, input)
    local shared = require("lib.shared")
    local count = shared.next()
    shared.next = function() return 666 end
    return tostring(count)
  end,
}
