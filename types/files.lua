---@meta

---Texts under `files/` of the workspace: price lists, letters, rules. They belong to the version of the scripts that the run is on.
---@class fileslib
files = {}

---Gives a file's text.
---Capability: `access = { files = "read" }`
---@param path string under `files/`: `prices/eu.json`
---@return string
function files.read(path) end

---Lists the files, by path.
---Capability: `access = { files = "read" }`
---@param folder? string only those in it: `prices`
---@return string[]
function files.list(folder) end
