---@meta

---Checks that parallel branches worked on the same thing.
---@class guardlib
guard = {}

---Raises `conflict` unless every result names the same value; the value.
---@param field string `listing_id`
---@param results table<any, table> what `parallel` returned
---@return any
function guard.same(field, results) end
