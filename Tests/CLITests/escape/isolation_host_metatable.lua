-- Attack: Reads the metatables of all modules.
-- Expect: reply false

return {
  run = function(ctx, input)
    for name, module in pairs(_G) do
      if type(module) == "table" and getmetatable(module) then error(name .. " shows its metatable") end
    end
    return tostring(getmetatable(parallel))
  end,
}
