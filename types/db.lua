---@meta

---@alias perigee.Value string|number|boolean|nil
---@class (exact) perigee.Change
---@field changes integer rows that were changed
---@field last_insert_id integer
---@field rows table<string, perigee.Value>[] what `returning` gave

---The workspace's own SQLite database, one for all users and tenants: bind statements to `ctx.user.id`, or to `ctx.user.tenant`. Values go in as parameters, never into the text of the statement.
---@class dblib
db = {}

---Reads rows; each is a table by column name. SQL NULL is an absent field.
---Capability: `access = { db = "read" }`
---@async
---@param sql string one `select`, with `?` for each parameter
---@param ... perigee.Value the parameters
---@return table<string, perigee.Value>[]
function db.query(sql, ...) end

---Runs one statement that changes rows of the tables that this file's `schema` made.
---Capability: `access = { db = "write" }`
---@async
---@param sql string one statement, with `?` for each parameter
---@param ... perigee.Value the parameters
---@return perigee.Change
function db.exec(sql, ...) end

---Runs a function whose `db` calls happen all or not at all, those of its branches and of the tools and agents that it calls too: an error in it rolls back and goes on.
---Capability: `access = { db = "write" }`
---@async
---@param body fun(): any may wait, for at most 10 s from its first statement on
---@return any
function db.transaction(body) end
