-- Attack: Unpacks from the least to the greatest integer.
-- Expect: internal too many results to unpack

return {
  run = function(ctx, input)
    return table.unpack({}, math.mininteger, math.maxinteger)
  end,
}
