-- Attack: Hands bytes that are not UTF-8 to what takes text.
-- Expect: internal

return {
  run = function(ctx, input)
    return text.redact("\xff\xfe\0") .. text.truncate("\xff\xfe\0", 1)
  end,
}
