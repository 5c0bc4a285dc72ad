local categories = require("lib.market.categories")
local prompting = require("lib.market.prompting")
local reading = require("lib.market.reading")
local turkish = require("lib.market.turkish")

local TASK = text.template([[
İkinci el ilanlarının başlığını yazar ve kategorisini seçersin.
- Başlık satılan şeyi adıyla söyler: marka, model, ayırt eden bir özellik. En çok 80 karakter; fiyat, ünlem, büyük
  harfle bağırma ve "satılık" kelimesi yoktur.
- Kategoriler: {categories}. Hiçbiri uymuyorsa diger.]], { categories = categories.text() })

-- A draft that has a title is given another one only when the message speaks of titles.
local function says_title(ctx, message)
  local draft = ctx.input.draft
  return not (draft and draft.title) or turkish.mentions(message, { "basli" })
end

---@type perigee.Agent
return {
  description = "Taslağın başlığını ve kategorisini önerir.",
  temperature = 0,
  output = {
    draft_id = { type = "integer", description = "taslağın numarası" },
    title = { type = "string", minLength = 1, maxLength = 80, optional = true, description = "başlık" },
    category = { type = "string", enum = categories.ids, optional = true, description = "kategori" },
  },
  limits = { steps = 2, seconds = 30 },

  prompt = function(ctx) return prompting.drafting(ctx, TASK) end,

  stub = function(ctx, message)
    local title = says_title(ctx, message) and reading.thing(message) or nil
    return {
      data = {
        draft_id = prompting.draft_id(ctx, message),
        title = title and text.truncate(title, 80),
        category = title and (categories.of(title) or "diger"),
      },
    }
  end,
}
