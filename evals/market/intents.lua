-- Which of the four intents a message has, in the words of many people.

local PHRASES = {
  create_listing = {
    "iPhone 13 satmak istiyorum, fiyat 20000 TL",
    "Bisikletimi satıyorum",
    "SATILIK KIRMIZI KOLTUK, 3.000 TL",
    "satilik ikinci el laptop 15 bin tl",
    "Arabamı satacağım, ne yapmam lazım?",
    "Yeni bir ilan vermek istiyorum",
    "Merhaba, gitarımı satışa çıkarmak istiyorum",
    "Eski buzdolabım için ilan oluştur",
  },
  publish_or_delete = {
    "yayınla",
    "YAYINLA",
    "Taslağımı yayınlar mısın?",
    "İlanı yayına al lütfen",
    "3 numaralı ilanı sil",
    "İLANIMI SİL",
    "İlanlarımı göster",
    "Satılık araba ilanımı sil",
    "Bakiyem ne kadar?",
    "Kaç kredim var?",
    "İlan ücretini öde",
  },
  search_listings = {
    "iPhone arıyorum",
    "Satılık araba arıyorum",
    "20 bin TL altı bisiklet var mı?",
    "Elektronik ilanlarını listele",
    "Bana ucuz bir koltuk bul",
    "İkinci el laptop almak istiyorum",
    "ISPARTA'DA KİRALIK DAİRE ARIYORUM",
    "Kırmızı elbise satan var mı",
  },
  small_talk = {
    "Merhaba",
    "Selam, nasılsın?",
    "Teşekkür ederim",
    "İyi günler",
    "Bana bir şiir yaz",
    "Burada neler yapabilirim?",
    "👋",
  },
}

local function case(intent)
  local turns = {}
  for i, phrase in ipairs(PHRASES[intent]) do
    turns[i] = { user = phrase, expect = { data = { intent = intent } } }
  end
  return { name = "finds " .. intent, agent = "market.intent_router", turns = turns }
end

---@type perigee.Eval[]
return {
  case("create_listing"),
  case("publish_or_delete"),
  case("search_listings"),
  case("small_talk"),
  {
    name = "tells a change of the draft from a new listing",
    agent = "market.intent_router",
    turns = {
      {
        user = "fiyatı 19000 TL yap",
        input = { draft = { draft_id = 4, title = "iPhone 13", missing = {} } },
        expect = { data = { intent = "create_listing", draft = "active" } },
      },
      {
        user = "bisikletimi de satıyorum, fiyatı 5000 TL",
        input = { draft = { draft_id = 4, title = "iPhone 13", missing = {} } },
        expect = { data = { intent = "create_listing", draft = "new" } },
      },
    },
  },
}
