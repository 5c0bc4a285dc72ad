local money = require("lib.market.money")
local prompting = require("lib.market.prompting")
local settings = require("lib.market.settings")

local TASK = [[
İkinci el ilanlarının fiyatını mesajdan okursun.
- Fiyat Türk lirası olarak bir tam sayıdır: "20000 TL", "20.000 TL", "20 bin lira" ve "20 bine" 20000'dir.
- Model adındaki sayı fiyat değildir: "iPhone 13" 13 lira demek değildir.
- Satıcı birden çok fiyat söylerse istediği fiyatı al, "en son" dediği pazarlık payını değil.
- Fiyat söylenmemişse tahmin etme: null bırak.]]

---@type perigee.Agent
return {
  description = "Taslağın fiyatını mesajdan okur.",
  temperature = 0,
  output = {
    draft_id = { type = "integer", description = "taslağın numarası" },
    price = {
      type = "integer", minimum = 1, maximum = settings.price_max, optional = true, description = "fiyat, TL",
    },
  },
  limits = { steps = 2, seconds = 30 },

  prompt = function(ctx) return prompting.drafting(ctx, TASK) end,

  stub = function(ctx, message)
    return { data = { draft_id = prompting.draft_id(ctx, message), price = money.price(message) } }
  end,
}
