-- Attack: Reads files outside of its folder by every spelling of a path.
-- Expect: reply 0

return {
  access = { files = "read" },
  run = function(ctx, input)
    local read = 0
    local paths = {
      "../perigee.yaml", "/etc/passwd", "../agents/neighbour.lua", "./../tools/ledger.lua", "", ".", "..", "/",
      "files/../../perigee.yaml", "..\0/perigee.yaml", "perigee.yaml", "agents/neighbour.lua", ("../"):rep(1000) .. "etc/passwd",
    }
    for _, path in ipairs(paths) do
      if pcall(files.read, path) then read = read + 1 end
    end
    return tostring(read + #files.list("..") + #files.list("/") + #files.list("../"))
  end,
}
