-- Attack: Waits for the host in a replacement function.
-- Expect: internal has to wait

return {
  run = function(ctx, input)
    return (("x"):gsub("x", function() time.sleep(60) end))
  end,
}
