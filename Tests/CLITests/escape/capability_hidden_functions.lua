-- Attack: Calls the host's functions that are for its own Lua.
-- Expect: internal

return {
  run = function(ctx, input)
    return db._begin or _G["_db.begin"] or host.functions["_db.begin"]() -- perigee: ignore P101, P104 because it is the attack
  end,
}
