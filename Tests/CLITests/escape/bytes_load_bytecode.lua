-- Attack: Loads bytecode.
-- Expect: internal

return {
  run = function(ctx, input)
    local f, why = load("\27Lua\x54\0\x19\x93\r\n\x1a\n\4\8\8xV\0\0\0\0\0\0\0\0\0\0\0(w@\1")
    error(f and "loaded" or why)
  end,
}
