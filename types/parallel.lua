---@meta

---@class (exact) perigee.Settled
---@field ok boolean
---@field value any
---@field error any

---Runs functions beside each other; what they return stands where they stood.
---@class parallellib
---@overload fun(branches: table<any, fun(): any>): table<any, any>
parallel = {}

---Waits for all, whatever becomes of each.
---@async
---@param branches table<any, fun(): any> a list, or by name
---@return table<any, perigee.Settled>
function parallel.settle(branches) end

---Calls a function on each element of a list, so many at a time.
---@async
---@param list any[] its elements
---@param fn fun(element: any, index: integer): any called on each
---@param opts? { limit: integer? } `limit`: at once; 8 unless said
---@return any[]
function parallel.map(list, fn, opts) end

---Waits for the first that succeeds and cancels the rest; its value and its name.
---@async
---@param branches table<any, fun(): any> a list, or by name
---@return any, any
function parallel.race(branches) end
