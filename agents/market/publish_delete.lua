local cards = require("lib.market.cards")
local prompting = require("lib.market.prompting")
local turkish = require("lib.market.turkish")

local TASK = [[
Bir ikinci el pazarında kullanıcının taslağını yayınlar, ilanlarını siler, bakiyesini söylersin.
- Yayınlamak: açık taslağın numarasıyla publish_listing'i çağır. Ücreti kendisi düşer; önce deduct'ı çağırma.
  Açık taslak yoksa kullanıcıdan satmak istediği şeyi tarif etmesini iste.
- Taslakta eksik varsa (missing) yayınlama; neyin eksik olduğunu söyle.
- Silmek: kullanıcı ilan numarası vermediyse list_own_listings ile bul. Hangisi olduğundan emin değilsen sor; silinen
  geri gelmez. Numara uydurma.
- deduct yalnızca kullanıcı yayınlamadan ücreti önceden ödemek isterse çağrılır.
- Bakiye yetmezse ücreti ve bakiyeyi söyle, yeniden deneme.
- Bir araç hata verirse yapılmış gibi davranma. Ne yaptığını bir iki kısa cümleyle, Türkçe söyle; yayınladığın ilanın
  numarasını ver.]]

local function act(tool, args, say)
  local ok, result = pcall(tools.call, tool, args)
  if ok then return say(result) end
  if result.code == "insufficient_balance" then return "Yayınlanamadı: " .. result.message .. "." end
  if result.code == "not_found" then return "Bulunamadı: " .. result.message .. "." end
  error(result, 0)
end

local function publish(ctx)
  local draft = ctx.input.draft
  if not draft then return "Açık bir taslağınız yok. Önce ne satmak istediğinizi yazın." end
  if #draft.missing > 0 then return ("Yayınlamak için eksik: %s."):format(cards.missing(draft)) end
  return act("publish_listing", { draft_id = draft.draft_id }, function(listing)
    return "İlanınız yayında: " .. cards.listing(listing)
  end)
end

local function pay(ctx)
  local draft = ctx.input.draft
  if not draft then return "Ücreti ödenecek bir taslağınız yok." end
  return act("deduct", { draft_id = draft.draft_id }, function(paid)
    return ("İlan ücreti ödendi. Bakiyeniz: %d kredi."):format(paid.balance)
  end)
end

local function delete(_, message)
  local id = math.tointeger(tonumber(message:match("%d+")))
  if not id then return "Hangi ilanı sileyim? Numarasını yazın; “ilanlarım” derseniz hepsini gösteririm." end
  return act("delete_listing", { listing_id = id }, function(result)
    return "Silindi: " .. cards.listing(result.deleted)
  end)
end

local function balance()
  local wallet = tools.call("get_balance")
  return ("Bakiyeniz %d kredi. Bir ilan %d kredi."):format(wallet.balance, wallet.listing_credits)
end

local function own_listings()
  local listings = tools.call("list_own_listings")
  if #listings == 0 then return "Yayında ilanınız yok." end
  return "İlanlarınız:\n" .. cards.listings(listings)
end

-- Folded; the first whose phrase is in the message does it.
local COMMANDS = {
  { phrases = { "sil ", "siler", "silmek", "kaldir", "yayindan" }, run = delete },
  { phrases = { "ucret" }, run = pay },
  { phrases = { "bakiye", "kredi" }, run = balance },
  { phrases = { "ilanlarim" }, run = own_listings },
}

---@type perigee.Agent
return {
  description = "Taslağı yayınlar, ilanları siler, bakiyeyi söyler.",
  temperature = 0,
  tools = { "get_balance", "deduct", "list_own_listings", "publish_listing", "delete_listing" },
  limits = { steps = 6, seconds = 60 },

  prompt = function(ctx) return prompting.conversation(ctx, TASK) end,

  stub = function(ctx, message)
    for _, command in ipairs(COMMANDS) do
      if turkish.mentions(message, command.phrases) then return command.run(ctx, message) end
    end
    return publish(ctx)
  end,
}
