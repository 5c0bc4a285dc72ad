---@type perigee.Agent
return {
  description = "Waits in Lua: what a run takes up that does nothing.",
  run = function()
    time.sleep(3)
    return "done"
  end,
}
