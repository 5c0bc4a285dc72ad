-- Publishing, paying for it, and deleting.

local SELL = "iPhone 13 satmak istiyorum, fiyat 20000 TL"

local function publishing(times, last)
  local turns = {}
  for _ = 1, times do
    turns[#turns + 1] = { user = SELL }
    turns[#turns + 1] = { user = "yayınla", expect = { contains = "İlanınız yayında" } }
  end
  return table.move(last, 1, #last, #turns + 1, turns)
end

local function one(sql) return db.query(sql)[1] end

local function balance_is(credits)
  return function()
    local wallet, booked = one("select balance from wallets"), one("select sum(amount) as sum from transactions")
    assert(wallet.balance == booked.sum, "the transactions do not add up")
    return wallet.balance == credits, "balance: " .. wallet.balance
  end
end

---@type perigee.Eval[]
return {
  {
    name = "publishes a draft for credits",
    agent = "market",
    turns = {
      { user = "Bakiyem ne kadar?", expect = { contains = "50 kredi" } },
      { user = SELL },
      {
        user = "yayınla",
        expect = {
          { tool_called = { name = "publish_listing", arguments = { draft_id = 1 } }, contains = "yayında" },
          { check = balance_is(40) },
          { check = function() return one("select count(*) as n from active_drafts").n == 0 end },
          { check = function() return one("select title, price from listings").price == 20000 end },
        },
      },
      { user = "yayınla", expect = { not_called = "publish_listing", check = balance_is(40) } },
      { user = "İlanlarım", expect = { contains = "iPhone 13, 20.000 TL" } },
    },
  },
  {
    name = "pays once for a draft",
    agent = "market",
    turns = {
      { user = SELL },
      { user = "İlan ücretini öde", expect = { tool_called = "deduct", check = balance_is(40) } },
      { user = "İlan ücretini öde", expect = { tool_called = "deduct", check = balance_is(40) } },
      { user = "yayınla", expect = { tool_called = "publish_listing", check = balance_is(40) } },
    },
  },
  {
    name = "publishes nothing without balance, and keeps the draft",
    agent = "market",
    turns = publishing(5, {
      { user = SELL, expect = { check = balance_is(0) } },
      {
        user = "yayınla",
        expect = {
          { contains = "bakiye yetersiz" },
          { check = balance_is(0) },
          { check = function() return one("select count(*) as n from listings").n == 5 end },
          { check = function() return one("select count(*) as n from active_drafts").n == 1 end },
        },
      },
    }),
  },
  {
    name = "deletes the user's listing and its photos",
    agent = "market",
    turns = {
      { user = SELL, input = { images = { { url = "https://example.com/a.jpg" } } } },
      { user = "yayınla" },
      {
        user = "1 numaralı ilanı sil",
        expect = {
          { tool_called = { name = "delete_listing", arguments = { listing_id = 1 } }, contains = "Silindi" },
          { check = function() return one("select count(*) as n from listings").n == 0 end },
          { check = function() return one("select count(*) as n from listing_images").n == 0 end },
        },
      },
    },
  },
  {
    name = "deletes no listing that is not the user's",
    agent = "market",
    turns = publishing(1, {
      {
        user = "2 numaralı ilanı sil",
        expect = {
          { contains = "Bulunamadı" },
          { check = function() return one("select count(*) as n from listings").n == 1 end },
        },
      },
      { user = "ilanımı sil", expect = { matches = "Hangi ilan", not_called = "delete_listing" } },
    }),
  },
}
