---@meta

---Makes a random UUID (version 4).
---@return string
function uuid() end
