---@type perigee.Agent
return {
  description = "Sleeps for a day.",
  run = function()
    time.sleep(86400)
    return "awake"
  end,
}
