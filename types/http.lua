---@meta

---@class (exact) perigee.HttpOptions
---@field headers? table<string, string>
---@field query? table<string, string|number|boolean> added to the URL
---@field body? string
---@field json? any sent as JSON in place of `body`
---@field timeout? number seconds
---@class (exact) perigee.HttpRequest: perigee.HttpOptions
---@field url string
---@field method? string "GET" unless said
---@class (exact) perigee.HttpResponse
---@field status integer
---@field ok boolean status is 200 to 299
---@field headers table<string, string> names in lower case
---@field body string
---@field json any the body decoded, when its content type is JSON

---Requests to the hosts that `access.http` lists. Every status is an answer; only a request that brought none raises.
---@class httplib
http = {}

---Fetches a URL.
---Capability: `access = { http = { "api.example.com" } }`
---@async
---@param url string http or https
---@param opts? perigee.HttpOptions `headers`, `query`, `timeout`
---@return perigee.HttpResponse
function http.get(url, opts) end

---Posts to a URL.
---Capability: `access = { http = { "api.example.com" } }`
---@async
---@param url string http or https
---@param opts? perigee.HttpOptions `json` or `body`, `headers`, `query`, `timeout`
---@return perigee.HttpResponse
function http.post(url, opts) end

---Sends any request.
---Capability: `access = { http = { "api.example.com" } }`
---@async
---@param request perigee.HttpRequest what is sent, and where
---@return perigee.HttpResponse
function http.request(request) end
