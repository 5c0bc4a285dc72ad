---@meta

---Ends the run; the caller gets the reason with code `rejected`.
---@param why string shown to the caller
---@return never
function reject(why) end
