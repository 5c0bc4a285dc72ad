-- Stands for the payment service, so that all of this works without one. In its place stands an http.post with
-- ctx.call.key as Idempotency-Key, and the tool's access gets its host.

local money = require("lib.cloud.money")
local settings = require("lib.cloud.settings")

local bank = {}

function bank.pay(cents)
  if cents <= settings.payment_limit_cents then return end
  error({
    code = "payment_refused",
    message = ("%s is more than the bank pays out at once"):format(money.format(cents)),
  })
end

return bank
