-- How a listing is written, changed, and given up when its authors disagree.

local SELL = "iPhone 13 satmak istiyorum, fiyat 20000 TL"

local function drafts() return db.query("select * from active_drafts order by id") end

local function nothing_is_left()
  return #drafts() == 0, "there is a draft"
end

---@type perigee.Eval[]
return {
  {
    name = "writes a draft with title, description and price",
    agent = "market",
    turns = {
      {
        user = SELL,
        expect = {
          { data = { intent = "create_listing", draft = { title = "iPhone 13", price = 20000 } } },
          { tool_called = "create_draft" },
          { tool_called = "update_title" },
          { tool_called = { name = "update_description", arguments = { draft_id = 1 } } },
          { tool_called = { name = "update_price", arguments = { draft_id = 1, price = 20000 } } },
          { contains = "20.000 TL", not_called = "publish_listing" },
          {
            check = function()
              local draft = drafts()[1]
              assert(draft.title == "iPhone 13" and draft.price == 20000 and draft.category == "elektronik")
              return draft.description:find("iPhone 13", 1, true) ~= nil, "description: " .. draft.description
            end,
          },
        },
      },
    },
  },
  {
    name = "asks for what is missing and changes the same draft",
    agent = "market",
    turns = {
      { user = "Bisikletimi satıyorum", expect = { contains = "eksik: fiyat" } },
      { user = "yayınla", expect = { contains = "eksik: fiyat", not_called = "publish_listing" } },
      {
        user = "5 bin TL",
        expect = { data = { draft = { draft_id = 1, price = 5000 } }, not_called = "create_draft" },
      },
      { user = "fiyatı 4.500 TL yap", expect = { data = { draft = { draft_id = 1, price = 4500 } } } },
      {
        user = "başlığı Işıklı Şehir Bisikleti yap",
        expect = { data = { draft = { title = "Işıklı Şehir Bisikleti", price = 4500 } } },
      },
      {
        user = "açıklama: az kullanılmış, ışıkları yeni",
        expect = { data = { draft = { description = "az kullanılmış, ışıkları yeni", price = 4500 } } },
      },
    },
  },
  {
    name = "keeps the photos that are allowed",
    agent = "market",
    turns = {
      {
        user = SELL,
        input = {
          images = {
            { url = "https://example.com/iphone-on.jpg", caption = "Ön yüzü" },
            { url = "https://example.com/arka_yuz.PNG?size=2" },
            { url = "http://example.com/eski.jpg" },
            { url = "https://example.com/b.jpg", caption = "SİLAH" },
          },
        },
        expect = {
          { tool_called = "analyze_image" },
          { tool_called = "moderate_image" },
          { tool_called = "process_image", contains = "Fotoğraf: 2" },
          { matches = "alınmadı: http://example.com/eski.jpg" },
          { matches = "alınmadı: https://example.com/b.jpg" },
          {
            check = function()
              local images = db.query("select caption from listing_images order by position")
              return #images == 2 and images[1].caption == "Ön yüzü", json.encode(images)
            end,
          },
        },
      },
    },
  },
  {
    name = "refuses what is no list of photos",
    agent = "market",
    turns = {
      { user = SELL, input = { images = "a.jpg" }, expect = { error = "rejected", not_called = "create_draft" } },
      { user = SELL, input = { images = { { caption = "?" } } }, expect = { error = "rejected" } },
    },
  },
  {
    -- "taslak 99" leads the stubs astray, as a message may lead a model: what they say is of another draft then.
    name = "gives all of it up when the agents disagree on the draft",
    agent = "market",
    turns = {
      {
        user = SELL .. " (taslak 99)",
        expect = {
          { data = { aborted = true }, contains = "baştan tarif edin" },
          { tool_called = "create_draft", not_called = "update_title" },
          { check = nothing_is_left },
        },
      },
      { user = "yayınla", expect = { contains = "Açık bir taslağınız yok", not_called = "publish_listing" } },
      { user = SELL, expect = { data = { draft = { title = "iPhone 13", price = 20000 } } } },
    },
  },
  {
    name = "leaves a draft as it was when a change of it is given up",
    agent = "market",
    turns = {
      { user = SELL },
      { user = "fiyatı 10 TL yap (taslak 99)", expect = { data = { aborted = true } } },
      {
        user = "merhaba",
        expect = {
          check = function()
            local draft = drafts()[1]
            return #drafts() == 1 and draft.price == 20000 and draft.title == "iPhone 13", json.encode(draft)
          end,
        },
      },
    },
  },
  {
    name = "tells other agents of the conflict by its code",
    agent = "market.composer",
    turns = { { user = SELL .. " (taslak 99)", expect = { error = "conflict", check = nothing_is_left } } },
  },
}
