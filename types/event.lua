---@meta

---Tells those who listen to the server's events: `GET /v1/events`, and webhooks.
---@class eventlib
event = {}

---Tells that something happened, once, whatever becomes of the run; at most 1000 of one run of an agent.
---@param type string words of a-z, 0-9 and _ with dots between them; `external.` is put in front of it
---@param data? table what there is to say about it, at most 64 KiB of JSON
function event.emit(type, data) end
