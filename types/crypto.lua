---@meta

---Digests, message codes and random bytes, as lower-case hexadecimal text.
---@class cryptolib
crypto = {}

---Digests a string.
---@param text string any bytes
---@return string
function crypto.sha256(text) end

---Signs a string with HMAC-SHA256.
---@param key string the secret
---@param text string what is signed
---@return string
function crypto.hmac(key, text) end

---Makes random bytes, fit for secrets.
---@param count integer bytes, 1 to 1024
---@return string
function crypto.random(count) end
