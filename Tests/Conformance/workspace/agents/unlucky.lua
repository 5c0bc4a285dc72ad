-- The run fails, with the word that it is given.
---@type perigee.Agent
return { run = function() error({ code = "out_of_paper", message = "there is no paper" }) end }
