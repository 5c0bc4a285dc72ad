-- Orders of the shop and what is done about them. The model asks for an action and gets its number at once; a worker
-- carries it out. Every statement is bound to ctx.user.id.

local bank = require("lib.cloud.bank")
local money = require("lib.cloud.money")
local settings = require("lib.cloud.settings")

local function found(row, what)
  if not row then error({ code = "not_found", message = "there is no " .. what }) end
  return row
end

local function order_of(user_id, id)
  local rows = db.query("select id, article, cents from shop_orders where user_id = ? and id = ?", user_id, id)
  return found(rows[1], "order " .. id)
end

local function refund_of(user_id, order_id)
  local rows = db.query(
    "select order_id, cents, status from refunds where user_id = ? and order_id = ?", user_id, order_id
  )
  return found(rows[1], "refund of order " .. order_id)
end

local function present(row)
  return { id = row.id, article = row.article, price = money.format(row.cents), refund = row.refund }
end

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists shop_orders (
      id integer primary key,
      user_id text not null,
      article text not null,
      cents integer not null check (cents > 0),
      created_at text not null,
      call_key text not null unique
    );
    create index if not exists shop_orders_by_user on shop_orders (user_id, id);
    create table if not exists refunds (
      order_id integer primary key references shop_orders (id),
      user_id text not null,
      cents integer not null,
      reason text not null,
      status text not null check (status in ('requested', 'paid')),
      created_at text not null
    );
  ]],

  place_order = {
    description = "Order an article of the shop for the user.",
    parameters = {
      article = { type = "string", minLength = 1, maxLength = 100, description = "what is ordered" },
      cents = { type = "integer", minimum = 1, maximum = 10000000, description = "its price in cents" },
    },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      db.exec(
        "insert into shop_orders (user_id, article, cents, created_at, call_key) values (?, ?, ?, ?, ?) "
          .. "on conflict (call_key) do nothing",
        ctx.user.id, args.article, args.cents, time.format(time.now()), ctx.call.key
      )
      return present(db.query("select id, article, cents from shop_orders where call_key = ?", ctx.call.key)[1])
    end,
  },

  list_orders = {
    description = "List the user's latest orders, each with how its refund stands, if there is one.",
    access = { db = "read" },
    effect = "read",
    run = function(ctx)
      local rows = db.query(
        "select o.id, o.article, o.cents, r.status as refund from shop_orders o "
          .. "left join refunds r on r.order_id = o.id where o.user_id = ? order by o.id desc limit 20",
        ctx.user.id
      )
      local orders = json.array({})
      for i, row in ipairs(rows) do orders[i] = present(row) end
      return { orders = orders }
    end,
  },

  request_refund = {
    description = "Request that an order is refunded in full. It is paid a little later.",
    parameters = {
      order_id = { type = "integer", description = "as list_orders gives it" },
      reason = { type = "string", minLength = 1, maxLength = 500, description = "in the user's words" },
    },
    access = { db = "write", queue = true },
    unknown = "retry",
    approve = function(ctx, args)
      local order = order_of(ctx.user.id, args.order_id)
      if order.cents <= settings.approve_above_cents then return false end
      return ("Refund %s for order %d (%s)?"):format(money.format(order.cents), order.id, order.article)
    end,
    -- A second request finds the first; the payment is published again, and done once.
    run = function(ctx, args)
      local order = order_of(ctx.user.id, args.order_id)
      return db.transaction(function()
        db.exec(
          "insert into refunds (order_id, user_id, cents, reason, status, created_at) "
            .. "values (?, ?, ?, ?, 'requested', ?) on conflict (order_id) do nothing",
          order.id, ctx.user.id, order.cents, args.reason, time.format(time.now())
        )
        local refund = refund_of(ctx.user.id, order.id)
        if refund.status == "requested" then
          queue.publish("pay_refund", { order_id = order.id }, { key = "refund-" .. order.id })
        end
        return { order_id = order.id, amount = money.format(refund.cents), status = refund.status }
      end)
    end,
  },

  pay_refund = {
    description = "Pay a refund that was requested.",
    parameters = { order_id = "integer" },
    action = true,
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      local refund = refund_of(ctx.user.id, args.order_id)
      if refund.status == "paid" then return end
      bank.pay(refund.cents)
      db.exec("update refunds set status = 'paid' where user_id = ? and order_id = ?", ctx.user.id, args.order_id)
    end,
  },
}
