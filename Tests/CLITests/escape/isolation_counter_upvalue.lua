-- Attack: Counts its turns in an upvalue of the file.
-- Expect: reply 1

local count = 0
return {
  run = function(ctx, input)
    count = count + 1
    return tostring(count)
  end,
}
