-- Attack: Begins a transaction by hand and leaves it open.
-- Expect: internal

return {
  access = { db = "write" },
  run = function(ctx, input)
    db.exec("begin immediate")
    return "begun"
  end,
}
