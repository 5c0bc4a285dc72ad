local images = require("lib.market.images")
local prompting = require("lib.market.prompting")
local settings = require("lib.market.settings")

local TASK = [[
Bir ilanın fotoğraflarını hazırlarsın. Kullanıcının gönderdiği fotoğraflar:
{images}
- Her fotoğraf için analyze_image ve moderate_image araçlarını çağır; hepsini aynı adımda çağırabilirsin.
- İzin verilenleri images listesine, verilmeyenleri nedeniyle rejected listesine koy; adresleri değiştirme.
- Satılan şeyi en iyi gösteren fotoğraf başta durur; notu yoksa analyze_image'in dediğini not olarak yaz.
- Fotoğraf gönderilmediyse araç çağırma ve iki listeyi de null bırak.]]

local function check(image)
  local verdict = tools.call("moderate_image", image)
  if not verdict.allowed then return { url = image.url, reason = verdict.reason } end
  return { url = image.url, caption = tools.call("analyze_image", image).subject }
end

local function sort(ctx)
  local sent = ctx.input.images
  if not sent then return nil, nil end
  local accepted, rejected = json.array({}), json.array({})
  for _, image in ipairs(parallel.map(sent, check)) do
    local list = image.reason and rejected or accepted
    list[#list + 1] = image
  end
  return accepted, rejected
end

---@type perigee.Agent
return {
  description = "Taslağın fotoğraflarını inceler ve ayıklar.",
  temperature = 0,
  tools = { "analyze_image", "moderate_image" },
  output = {
    draft_id = { type = "integer", description = "taslağın numarası" },
    images = {
      type = "array", maxItems = settings.images_max, optional = true, description = "izin verilenler",
      items = { type = "object", properties = images.schema },
    },
    rejected = {
      type = "array", optional = true, description = "izin verilmeyenler",
      items = { type = "object", properties = { url = "string", reason = "string" } },
    },
  },
  limits = { steps = 5, seconds = 60 },

  prompt = function(ctx)
    local sent = ctx.input.images and json.encode(ctx.input.images) or "yok"
    return prompting.drafting(ctx, text.template(TASK, { images = sent }))
  end,

  stub = function(ctx, message)
    local accepted, rejected = sort(ctx)
    return { data = { draft_id = prompting.draft_id(ctx, message), images = accepted, rejected = rejected } }
  end,
}
