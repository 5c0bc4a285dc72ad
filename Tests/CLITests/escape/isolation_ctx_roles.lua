-- Attack: Gives its user a role with table.insert.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    table.insert(ctx.user.roles, "admin")
    return table.concat(ctx.user.roles, " ")
  end,
}
