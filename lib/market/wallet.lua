-- Credits: whole numbers, never below zero. For tools of tools/market/listings.lua, which owns the tables.

local settings = require("lib.market.settings")

local wallet = {}

local function book(user_id, amount, reason, draft_id)
  db.exec(
    "insert into transactions (user_id, amount, reason, draft_id, created_at) values (?, ?, ?, ?, ?)",
    user_id, amount, reason, draft_id, time.format(time.now())
  )
end

local function open(user_id)
  local opened = db.exec(
    "insert into wallets (user_id, balance) values (?, ?) on conflict do nothing", user_id, settings.welcome_credits
  )
  if opened.changes == 1 then book(user_id, settings.welcome_credits, "welcome") end
end

--- Gives the user's credits; a wallet that nothing was paid from has the welcome gift.
---@param user_id string
---@return integer balance
function wallet.balance(user_id)
  local row = db.query("select balance from wallets where user_id = ?", user_id)[1]
  return row and row.balance or settings.welcome_credits
end

--- Pays what publishing a draft costs, once, however often it is called. Belongs in a transaction.
---@param user_id string
---@param draft_id integer
function wallet.pay(user_id, draft_id)
  if db.query("select id from transactions where user_id = ? and draft_id = ?", user_id, draft_id)[1] then return end
  open(user_id)
  local cost = settings.listing_credits
  -- The condition stands in the statement: between a look at the balance and the payment nobody else gets in.
  local paid = db.exec(
    "update wallets set balance = balance - ? where user_id = ? and balance >= ?", cost, user_id, cost
  )
  if paid.changes == 0 then
    local balance = wallet.balance(user_id)
    error({
      code = "insufficient_balance",
      message = ("bakiye yetersiz: ilan ücreti %d kredi, bakiye %d kredi"):format(cost, balance),
      detail = { cost = cost, balance = balance },
    })
  end
  book(user_id, -cost, "listing_fee", draft_id)
end

return wallet
