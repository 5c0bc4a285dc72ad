-- The door to the market: finds the intent of a message, and hands it to the agent of that route.

local images = require("lib.market.images")
local settings = require("lib.market.settings")

local ROUTES = {
  create_listing = "market.composer",
  publish_or_delete = "market.publish_delete",
  search_listings = "market.search_composer",
  small_talk = "market.small_talk",
}

local START_AGAIN = "İlanınız hazırlanırken bir tutarsızlık oldu, bu yüzden hiçbir şey kaydedilmedi. "
  .. "Lütfen ilanınızı baştan tarif edin."

local BAD_IMAGES = ("images en çok %d fotoğraflık bir liste olmalı, her biri { url, caption }.")
  :format(settings.images_max)

-- The draft of the session, unless it was published, discarded or forgotten meanwhile.
local function active_draft(state)
  if not state.active_draft_id then return nil end
  local ok, draft = pcall(tools.call, "read_draft", { draft_id = state.active_draft_id })
  if ok then return draft end
  if draft.code ~= "not_found" then error(draft, 0) end
end

local function answer(route, task)
  local ok, reply = pcall(agents.run, route, task)
  if ok then return reply end
  if reply.code ~= "conflict" then error(reply, 0) end
  return { text = START_AGAIN, data = { aborted = true } }
end

---@type perigee.Agent
return {
  description = "İkinci el pazarı: ilan hazırlar, yayınlar, siler ve arar.",
  history = 100,
  tools = { "read_draft" },
  agents = {
    "market.intent_router", "market.composer", "market.publish_delete", "market.search_composer", "market.small_talk",
  },

  before = function(ctx, message)
    local sent, phone_number = ctx.input.images, ctx.input.phone_number
    if sent ~= nil and not images.is_list(sent) then reject(BAD_IMAGES) end
    if phone_number ~= nil and type(phone_number) ~= "string" then reject("phone_number bir metin olmalı.") end
    return message
  end,

  run = function(ctx, input)
    local state = ctx.session.state
    state.phone_number = input.phone_number or state.phone_number
    local draft = active_draft(state)
    local task = {
      message = input.message,
      images = input.images,
      draft = draft,
      conversation = ctx.session.messages(),
    }
    local choice = agents.run("market.intent_router", task).data
    state.intent = choice.intent
    task.draft_id = draft and choice.draft == "active" and draft.draft_id or nil

    local reply = answer(ROUTES[choice.intent], task)
    local data = reply.data or {}
    state.active_draft_id = data.draft and data.draft.draft_id or draft and draft.draft_id
    data.intent = choice.intent
    return { text = reply.text, data = data }
  end,
}
