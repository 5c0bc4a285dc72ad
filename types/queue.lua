---@meta

---@class (exact) perigee.PublishOptions
---@field delay? number seconds before it may be done, at most 30 days
---@field key? string jobs of the user with one key are done one after another, as they were published
---@field priority? integer -100 to 100, 0 unless said: of the user's jobs the highest is done first

---Work that a worker does later, tried again while it fails, and kept as a dead letter when that is no use.
---@class queuelib
queue = {}

---Publishes a call of a tool with `action = true`, and answers the job's id at once. In db.transaction it is published when that is committed.
---Capability: `access = { queue = true }`
---@async
---@param action string the tool's name
---@param payload? table its arguments: they must fit its `parameters`; at most 256 KiB
---@param opts? perigee.PublishOptions `delay`, `key`, `priority`
---@return string
function queue.publish(action, payload, opts) end
