-- Attack: Looks for what a sandbox must not have.
-- Expect: reply none

return {
  run = function(ctx, input)
    local found = {}
    local names = {
      "io", "debug", "package", "dofile", "loadfile", "loadstring", "collectgarbage", "module", "setfenv",
      "getfenv", "newproxy", "unpack", "arg", "host", "_PROMPT", "ffi", "jit",
    }
    for _, name in ipairs(names) do
      if _G[name] ~= nil then found[#found + 1] = name end
    end
    for _, name in ipairs({ "execute", "remove", "rename", "tmpname", "getenv", "exit", "setlocale" }) do
      if os[name] ~= nil then found[#found + 1] = "os." .. name end
    end
    if string.dump then found[#found + 1] = "string.dump" end -- perigee: ignore P103 because it is the attack
    return #found == 0 and "none" or table.concat(found, " ")
  end,
}
