---@meta

---@class (exact) perigee.KvOptions
---@field ttl? number seconds after which the value is gone
---@field scope? "user"|"session"|"workspace" whose value it is; "user" unless said

---Small values by key, of a user, a session or the whole workspace, with an optional time to live. Where there are tenants, each has a workspace's values of its own.
---@class kvlib
kv = {}

---Reads a value; `nil` when there is none.
---Capability: `access = { kv = "read" }`
---@async
---@param key string at most 512 bytes
---@param opts? perigee.KvOptions `scope`
---@return any
function kv.get(key, opts) end

---Keeps a value in place of the one before.
---Capability: `access = { kv = "write" }`
---@async
---@param key string at most 512 bytes
---@param value any anything that JSON can hold
---@param opts? perigee.KvOptions `ttl`, `scope`
function kv.set(key, value, opts) end

---Deletes a value; true when there was one.
---Capability: `access = { kv = "write" }`
---@async
---@param key string its key
---@param opts? perigee.KvOptions `scope`
---@return boolean
function kv.delete(key, opts) end

---Adds to a whole number, 0 when there is none, in one step; the sum.
---Capability: `access = { kv = "write" }`
---@async
---@param key string its key
---@param by? integer 1 unless said
---@param opts? perigee.KvOptions `ttl` (set when the number begins), `scope`
---@return integer
function kv.incr(key, by, opts) end
