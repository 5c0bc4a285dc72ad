---@meta

---JSON text.
---@class jsonlib
json = {}

---JSON's null, where a field must say so: `nil` leaves it out
---@type userdata
json.null = nil

---Writes a value as JSON; the keys of objects are sorted.
---@param value any no functions, no cycles; an empty table is an object unless `json.array` made it
---@return string
function json.encode(value) end

---Reads JSON; null becomes `json.null`.
---@param text string one value
---@return any
function json.decode(text) end

---Marks a table as a list, so that it is one even when empty.
---@param list? any[] a new one unless given
---@return any[]
function json.array(list) end
