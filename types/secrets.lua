---@meta

---Keys of other services. A script gets a handle, which stands for the key in a header of `http`; the key itself is never seen.
---@class secretslib
secrets = {}

---Finds a secret of `scripts.secrets` in perigee.yaml. The handle is text without meaning: in a header it is replaced by the key, for the hosts that the key is bound to; printed, logged or sent elsewhere it stays what it is.
---@param name string as `scripts.secrets` has it
---@return string
function secrets.get(name) end
