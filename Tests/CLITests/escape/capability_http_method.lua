-- Attack: Sends more than the methods that access.http names, each in several spellings.
-- Expect: reply list list list list list other

return {
  access = { http = { "GET,HEAD 127.0.0.1:1", "DELETE 127.0.0.1:2" } },
  run = function(ctx, input)
    local codes = {}
    local function try(method, url)
      local _, err = pcall(http.request, { method = method, url = url })
      codes[#codes + 1] = err.message:find("not on the list", 1, true) and "list" or "other"
    end
    try("POST", "http://127.0.0.1:1/")
    try("post", "http://127.0.0.1:1/")
    try("DELETE", "http://127.0.0.1:1/")
    try("GET", "http://127.0.0.1:2/")
    try("DELETE", "http://127.0.0.1:3/")
    -- On the list, and refused for its address.
    try("GET", "http://127.0.0.1:1/")
    return table.concat(codes, " ")
  end,
}
