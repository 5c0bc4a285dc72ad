-- Observers: whoever subscribes to a channel is called with what is told on it, in the order of subscription.

local channel = {}

---@class advisors.Channel
---@field subscribe fun(observer: fun(...)): fun() returns the function that ends the subscription
---@field notify fun(...)

---@return advisors.Channel
function channel.new()
  local observers = {}

  local function unsubscribe(observer)
    for i, known in ipairs(observers) do
      if known == observer then return table.remove(observers, i) end
    end
  end

  return {
    subscribe = function(observer)
      observers[#observers + 1] = observer
      return function() unsubscribe(observer) end
    end,
    notify = function(...)
      for _, observer in ipairs(observers) do observer(...) end
    end,
  }
end

return channel
