---@meta

---Lines in the server's log, marked with the run, the agent and the user; 1,000 lines or 256 KiB a run.
---@class loglib
log = {}

---Writes a line at level debug.
---@param message string at most 4096 characters are kept
---@param fields? table<string, any> more to read beside it
function log.debug(message, fields) end

---Writes a line at level info.
---@param message string at most 4096 characters are kept
---@param fields? table<string, any> more to read beside it
function log.info(message, fields) end

---Writes a line at level warning.
---@param message string at most 4096 characters are kept
---@param fields? table<string, any> more to read beside it
function log.warn(message, fields) end

---Writes a line at level error.
---@param message string at most 4096 characters are kept
---@param fields? table<string, any> more to read beside it
function log.error(message, fields) end
