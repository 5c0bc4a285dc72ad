---@meta

---Checks that parallel branches worked on the same thing.
---@class guardlib
guard = {}

---Raises `conflict` unless every result names the same value, itself or in its `data`; the value. In db.transaction nothing is written then; the conflict is told as the event `guard.conflict`.
---@param field string `listing_id`
---@param results table<any, table> what `parallel` returned
---@return any
function guard.same(field, results) end
