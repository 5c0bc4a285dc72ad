local prompting = require("lib.market.prompting")
local reading = require("lib.market.reading")
local turkish = require("lib.market.turkish")

local TASK = [[
İkinci el ilanlarının açıklamasını yazarsın.
- İki ile beş kısa cümle: ne olduğu, durumu, yanında ne verildiği; satıcının söylediği her özellik.
- Sade ve dürüst bir dil; abartı, ünlem, telefon numarası ve fiyat yoktur.
- Satıcı az şey söylediyse tek cümle yeter.]]

local function describe(ctx, message)
  local draft = ctx.input.draft
  if draft and draft.description then
    return turkish.mentions(message, { "aciklama" }) and message:match(":%s*(.+)$") or nil
  end
  local thing, details = reading.thing(message), reading.details(message)
  if not thing then return nil end
  return ("Satılık %s%s."):format(thing, details and ": " .. details or "")
end

---@type perigee.Agent
return {
  description = "Taslağın açıklamasını önerir.",
  temperature = 0.3,
  output = {
    draft_id = { type = "integer", description = "taslağın numarası" },
    description = { type = "string", minLength = 1, maxLength = 2000, optional = true, description = "açıklama" },
  },
  limits = { steps = 2, seconds = 30 },

  prompt = function(ctx) return prompting.drafting(ctx, TASK) end,

  stub = function(ctx, message)
    local description = describe(ctx, message)
    return {
      data = {
        draft_id = prompting.draft_id(ctx, message),
        description = description and text.truncate(description, 2000),
      },
    }
  end,
}
