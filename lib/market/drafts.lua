-- Drafts of listings. For tools of tools/market/listings.lua, which owns the tables.

local drafts = {}

local REQUIRED = { "title", "description", "price" }

local function missing(row)
  local names = json.array({})
  for _, name in ipairs(REQUIRED) do
    if row[name] == nil then names[#names + 1] = name end
  end
  return names
end

---@param draft_id integer
---@return { url: string, caption: string? }[] images of the draft, or of the listing that it became
function drafts.images(draft_id)
  return json.array(db.query("select url, caption from listing_images where draft_id = ? order by position", draft_id))
end

--- Gives the user's draft, with the names of what it lacks to be published in `missing`.
---@param user_id string
---@param draft_id integer
function drafts.find(user_id, draft_id)
  local row = db.query(
    "select id as draft_id, title, description, price, category from active_drafts where user_id = ? and id = ?",
    user_id, draft_id
  )[1]
  if not row then error({ code = "not_found", message = ("%d numaralı taslak yok"):format(draft_id) }) end
  row.missing = missing(row)
  row.images = drafts.images(draft_id)
  return row
end

function drafts.delete(user_id, draft_id)
  db.exec("delete from active_drafts where user_id = ? and id = ?", user_id, draft_id)
end

function drafts.delete_images(draft_id) db.exec("delete from listing_images where draft_id = ?", draft_id) end

return drafts
