local prompting = require("lib.market.prompting")
local turkish = require("lib.market.turkish")

local TASK = [[
Bir ikinci el pazarının güler yüzlü sesisin. Kullanıcıyla kısa ve samimi sohbet eder, pazarı anlatırsın.
- Pazarda şunlar yapılır: satılacak şeyi tarif edip ilan taslağı hazırlatmak, taslağı yayınlamak, ilan silmek, ilan
  aramak, bakiye sormak. Yayınlamak kredi ile olur.
- Bunları sen yapmazsın: kullanıcı isterse ne yazması gerektiğini bir örnekle söyle. Bir şey yaptığını, yapacağını
  ya da bir ilan gördüğünü söyleme.
- Pazarla ilgisi olmayan konularda (sağlık, hukuk, siyaset, kod) kibarca pazara dön.
- En çok üç cümle, Türkçe, "siz" diyerek.]]

local HELP = "Satmak istediğinizi tarif edin (“iPhone 13 satmak istiyorum, fiyat 20000 TL”), “yayınla” yazın ya da "
  .. "ilan arayın (“20 bin TL altı bisiklet arıyorum”)."

-- Folded; the first whose phrase is in the message answers.
local ANSWERS = {
  { phrases = { "tesekkur", "sagol", "sag ol", "eyvallah" }, text = "Rica ederim! Başka bir isteğiniz varsa yazın." },
  { phrases = { "gorusuruz", "hosca kal", "hoscakal", "iyi geceler" }, text = "Görüşmek üzere, iyi günler!" },
  { phrases = { "nasilsin", "naber", "ne haber" }, text = "İyiyim, teşekkür ederim! " .. HELP },
  { phrases = { "merhaba", "selam", "gunaydin", "iyi gunler", "iyi aksam" }, text = "Merhaba, hoş geldiniz! " .. HELP },
}

---@type perigee.Agent
return {
  description = "Sohbet eder ve pazarı anlatır.",
  temperature = 0.7,
  max_tokens = 300,
  limits = { steps = 1, seconds = 30 },

  prompt = function(ctx) return prompting.conversation(ctx, TASK) end,

  stub = function(_, message)
    for _, answer in ipairs(ANSWERS) do
      if turkish.mentions(message, answer.phrases) then return answer.text end
    end
    return HELP
  end,
}
