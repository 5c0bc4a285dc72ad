-- Drafts, listings and wallets of the market. They stand in one file because publishing writes all of them in one
-- transaction, and a file's tables are written by its own tools. Every statement is bound to ctx.user.id; only the
-- search reads what others have published.

local categories = require("lib.market.categories")
local drafts = require("lib.market.drafts")
local images = require("lib.market.images")
local settings = require("lib.market.settings")
local turkish = require("lib.market.turkish")
local wallet = require("lib.market.wallet")

local DRAFT_ID = { type = "integer", description = "create_draft'ın verdiği taslak numarası" }
local CATEGORY = { type = "string", enum = categories.ids, optional = true, description = "kategori" }

local function price(description, optional)
  return {
    type = "integer", minimum = 1, maximum = settings.price_max, optional = optional, description = description,
  }
end

local LISTING = [[
  select id as listing_id, draft_id, title, description, price, category, created_at from listings where ]]

local function present(listing)
  listing.images = drafts.images(listing.draft_id)
  return listing
end

local function own_listing(user_id, listing_id)
  local listing = db.query(LISTING .. "user_id = ? and id = ?", user_id, listing_id)[1]
  if not listing then
    error({ code = "not_found", message = ("%d numaralı bir ilanınız yok"):format(listing_id) })
  end
  return present(listing)
end

local function insert_listing(user_id, draft)
  local category = draft.category or "diger"
  local words = table.concat({ draft.title, draft.description, categories.name(category) }, " ")
  return db.exec(
    [[insert into listings (user_id, draft_id, title, description, price, category, search_text, created_at)
      values (?, ?, ?, ?, ?, ?, ?, ?)]],
    user_id, draft.draft_id, draft.title, draft.description, draft.price, category, turkish.fold(words),
    time.format(time.now())
  ).last_insert_id
end

local function search_conditions(args)
  local conditions, values = { "true" }, {}
  local function add(condition, value)
    if value == nil then return end
    conditions[#conditions + 1] = condition
    values[#values + 1] = value
  end
  add("category = ?", args.category)
  add("price >= ?", args.price_min)
  add("price <= ?", args.price_max)
  for _, word in ipairs(args.words) do add("instr(search_text, ?) > 0", turkish.fold(word)) end
  return table.concat(conditions, " and "), values
end

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists active_drafts (
      id integer primary key autoincrement,
      user_id text not null,
      title text,
      description text,
      price integer check (price > 0),
      category text,
      created_at text not null
    );
    create table if not exists listings (
      id integer primary key autoincrement,
      user_id text not null,
      draft_id integer not null unique,
      title text not null,
      description text not null,
      price integer not null check (price > 0),
      category text not null,
      search_text text not null,
      created_at text not null
    );
    create index if not exists listings_by_user on listings (user_id, id);
    create index if not exists listings_by_category on listings (category, price);
    create table if not exists listing_images (
      draft_id integer not null,
      position integer not null,
      url text not null,
      caption text,
      primary key (draft_id, position)
    ) without rowid;
    create table if not exists wallets (
      user_id text primary key,
      balance integer not null check (balance >= 0)
    ) without rowid;
    create table if not exists transactions (
      id integer primary key,
      user_id text not null,
      amount integer not null,
      reason text not null,
      draft_id integer unique,
      created_at text not null
    );
    create index if not exists transactions_by_user on transactions (user_id, id);
  ]],

  create_draft = {
    description = "Boş bir ilan taslağı açar ve numarasını verir.",
    access = { db = "write" },
    unknown = "retry", -- at worst an empty draft more, which is forgotten
    run = function(ctx)
      return db.transaction(function()
        local oldest = time.format(time.now() - settings.draft_hours * 3600)
        db.exec(
          [[delete from listing_images where draft_id in
            (select id from active_drafts where user_id = ? and created_at < ?)]],
          ctx.user.id, oldest
        )
        db.exec("delete from active_drafts where user_id = ? and created_at < ?", ctx.user.id, oldest)
        local added = db.exec(
          "insert into active_drafts (user_id, created_at) values (?, ?)", ctx.user.id, time.format(time.now())
        )
        return drafts.find(ctx.user.id, added.last_insert_id)
      end)
    end,
  },

  read_draft = {
    description = "Kullanıcının bir taslağını, eksikleriyle birlikte verir.",
    parameters = { draft_id = DRAFT_ID },
    access = { db = "read" },
    effect = "read",
    run = function(ctx, args) return drafts.find(ctx.user.id, args.draft_id) end,
  },

  discard_draft = {
    description = "Yayınlanmamış bir taslağı siler.",
    parameters = { draft_id = DRAFT_ID },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      return db.transaction(function()
        local draft = drafts.find(ctx.user.id, args.draft_id)
        drafts.delete_images(draft.draft_id)
        drafts.delete(ctx.user.id, draft.draft_id)
        return { discarded = draft.draft_id }
      end)
    end,
  },

  update_title = {
    description = "Taslağın başlığını ve kategorisini yazar.",
    parameters = {
      draft_id = DRAFT_ID,
      title = { type = "string", minLength = 1, maxLength = 80, description = "başlık" },
      category = CATEGORY,
    },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      db.exec(
        "update active_drafts set title = ?, category = coalesce(?, category) where user_id = ? and id = ?",
        args.title, args.category, ctx.user.id, args.draft_id
      )
      return drafts.find(ctx.user.id, args.draft_id)
    end,
  },

  update_description = {
    description = "Taslağın açıklamasını yazar.",
    parameters = {
      draft_id = DRAFT_ID,
      description = { type = "string", minLength = 1, maxLength = 2000, description = "açıklama" },
    },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      db.exec(
        "update active_drafts set description = ? where user_id = ? and id = ?",
        args.description, ctx.user.id, args.draft_id
      )
      return drafts.find(ctx.user.id, args.draft_id)
    end,
  },

  update_price = {
    description = "Taslağın fiyatını yazar.",
    parameters = { draft_id = DRAFT_ID, price = price("Türk lirası, tam sayı") },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      db.exec(
        "update active_drafts set price = ? where user_id = ? and id = ?", args.price, ctx.user.id, args.draft_id
      )
      return drafts.find(ctx.user.id, args.draft_id)
    end,
  },

  process_image = {
    description = "Taslağın fotoğraflarını, eskilerinin yerine, kaydeder.",
    parameters = {
      draft_id = DRAFT_ID,
      images = {
        type = "array", maxItems = settings.images_max, description = "moderate_image'in kabul ettikleri",
        items = { type = "object", properties = images.schema },
      },
    },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      return db.transaction(function()
        local draft = drafts.find(ctx.user.id, args.draft_id)
        drafts.delete_images(draft.draft_id)
        for position, image in ipairs(args.images) do
          local refusal = images.refusal(image)
          if refusal then error({ code = "invalid_arguments", message = refusal }) end
          db.exec(
            "insert into listing_images (draft_id, position, url, caption) values (?, ?, ?, ?)",
            draft.draft_id, position, image.url, image.caption
          )
        end
        return drafts.find(ctx.user.id, draft.draft_id)
      end)
    end,
  },

  publish_listing = {
    description = "Bir taslağı yayınlar. İlan ücretini, henüz ödenmediyse, bakiyeden kendisi düşer.",
    parameters = { draft_id = DRAFT_ID },
    access = { db = "write" },
    unknown = "retry", -- what is published already is only told again
    run = function(ctx, args)
      local listing_id = db.transaction(function()
        local earlier = db.query(
          "select id from listings where user_id = ? and draft_id = ?", ctx.user.id, args.draft_id
        )[1]
        if earlier then return earlier.id end
        local draft = drafts.find(ctx.user.id, args.draft_id)
        if #draft.missing > 0 then
          error({ code = "invalid_arguments", message = "taslakta eksik var", detail = { missing = draft.missing } })
        end
        wallet.pay(ctx.user.id, draft.draft_id)
        drafts.delete(ctx.user.id, draft.draft_id)
        return insert_listing(ctx.user.id, draft)
      end)
      return own_listing(ctx.user.id, listing_id)
    end,
  },

  delete_listing = {
    description = "Kullanıcının yayındaki bir ilanını kalıcı olarak siler. Ücret geri verilmez.",
    parameters = { listing_id = { type = "integer", description = "list_own_listings'in verdiği ilan numarası" } },
    access = { db = "write" },
    run = function(ctx, args)
      return db.transaction(function()
        local listing = own_listing(ctx.user.id, args.listing_id)
        drafts.delete_images(listing.draft_id)
        db.exec("delete from listings where user_id = ? and id = ?", ctx.user.id, args.listing_id)
        return { deleted = listing }
      end)
    end,
  },

  list_own_listings = {
    description = "Kullanıcının yayındaki ilanlarını, en yenisi başta, verir.",
    access = { db = "read" },
    effect = "read",
    run = function(ctx)
      return json.array(db.query(LISTING .. "user_id = ? order by id desc limit 100", ctx.user.id))
    end,
  },

  search_listings = {
    description = "Yayındaki ilanları arar. Verilen koşulların hepsi tutar; en yenisi başta gelir.",
    parameters = {
      category = CATEGORY,
      price_min = price("en düşük fiyat, TL", true),
      price_max = price("en yüksek fiyat, TL", true),
      words = {
        type = "array", items = { type = "string", minLength = 1, maxLength = 50 }, maxItems = 8,
        default = json.array(), description = "başlıkta veya açıklamada geçen kelimeler",
      },
    },
    access = { db = "read" },
    effect = "read",
    run = function(_, args)
      local where, values = search_conditions(args)
      local total = db.query("select count(*) as total from listings where " .. where, table.unpack(values))[1].total
      values[#values + 1] = settings.listings_on_page
      local rows = db.query(LISTING .. where .. " order by id desc limit ?", table.unpack(values))
      local found = json.array({})
      for i, row in ipairs(rows) do found[i] = present(row) end
      return { listings = found, total = total }
    end,
  },

  get_balance = {
    description = "Kullanıcının bakiyesini ve bir ilanın ücretini, kredi olarak verir.",
    access = { db = "read" },
    effect = "read",
    run = function(ctx)
      return { balance = wallet.balance(ctx.user.id), listing_credits = settings.listing_credits }
    end,
  },

  deduct = {
    description = "Bir taslağın ilan ücretini bakiyeden önceden düşer; ikinci kez çağrılırsa yeniden düşmez.",
    parameters = { draft_id = DRAFT_ID },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      db.transaction(function()
        local draft = drafts.find(ctx.user.id, args.draft_id)
        wallet.pay(ctx.user.id, draft.draft_id)
      end)
      return { draft_id = args.draft_id, balance = wallet.balance(ctx.user.id) }
    end,
  },
}
