---@type table<string, perigee.Tool>
return {
  bench_nothing = {
    description = "Does nothing, as a write.",
    run = function() return 1 end,
  },
}
