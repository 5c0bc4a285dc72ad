-- Attack: Waits in two hundred calls of the host at once, each with megabytes of arguments.
-- Expect: limit

return {
  access = { db = "read" },
  run = function(ctx, input)
    local big = ("x"):rep(10 << 20)
    local branches = {}
    for i = 1, 200 do
      branches[i] = function() return db.query("select length(?) as n", big) end
    end
    parallel.settle(branches)
    return "kept"
  end,
}
