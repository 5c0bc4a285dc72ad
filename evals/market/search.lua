-- What is found by category, by price, by words, and by all of them.

local LISTINGS = {
  "iPhone 13 satmak istiyorum, fiyat 20000 TL",
  "Kırmızı iPhone 11 satıyorum, fiyat 9.500 TL, İstanbul'da",
  "Satılık Işıklı Bisiklet, 5 bin TL",
}

local function after_publishing(turns)
  local all = {}
  for _, listing in ipairs(LISTINGS) do
    all[#all + 1] = { user = listing }
    all[#all + 1] = { user = "yayınla", expect = { tool_called = "publish_listing" } }
  end
  return table.move(turns, 1, #turns, #all + 1, all)
end

local function finds(message, ...)
  local wanted = { ... }
  return {
    user = message,
    expect = {
      { data = { intent = "search_listings", total = #wanted }, tool_called = "search_listings" },
      {
        check = function(reply)
          local ids = {}
          for i, listing in ipairs(reply.data.listings) do ids[i] = listing.listing_id end
          return table.concat(ids, ",") == table.concat(wanted, ","), "found: " .. table.concat(ids, ",")
        end,
      },
    },
  }
end

---@type perigee.Eval[]
return {
  {
    name = "finds by category",
    agent = "market",
    turns = after_publishing({
      finds("Telefon arıyorum", 2, 1),
      finds("Bisiklet var mı?", 3),
      finds("Araba arıyorum"),
    }),
  },
  {
    name = "finds by price",
    agent = "market",
    turns = after_publishing({
      finds("10.000 TL altında ne var?", 3, 2),
      finds("10 bin TL üstü ilanları göster", 1),
      finds("9 - 20 bin TL arası ilanlar", 2, 1),
    }),
  },
  {
    name = "finds by words, however their letters are written",
    agent = "market",
    turns = after_publishing({
      finds("iPhone arıyorum", 2, 1),
      finds("İPHONE 13 ARIYORUM", 1),
      finds("kirmizi iphone ariyorum", 2),
      finds("IŞIKLI BİSİKLET ARIYORUM", 3),
      finds("istanbul'da telefon arıyorum", 2),
    }),
  },
  {
    name = "finds what meets all of it",
    agent = "market",
    turns = after_publishing({
      finds("10 bin TL altı iPhone arıyorum", 2),
      finds("10 bin TL altı iPhone 13 arıyorum"),
      finds("10 bin TL altı telefon var mı", 2),
    }),
  },
  {
    name = "reads what is sought beside each other",
    agent = "market.search_composer",
    turns = {
      {
        user = "20 bin TL altı kırmızı bisiklet arıyorum",
        expect = {
          data = { criteria = { category = "hobi", price_max = 20000, words = { "kirmizi" } }, total = 0 },
          contains = "uyan bir ilan yok",
        },
      },
    },
  },
}
