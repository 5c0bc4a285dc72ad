-- Attack: Forges a line of the log behind a line's end.
-- Expect: reply logged

return {
  run = function(ctx, input)
    local line = "x\n{\"level\":\"error\",\"message\":\"forged\"}\r\n"
    log.error(line, { ["a\nb"] = line })
    print("\27[2J" .. line)
    return "logged"
  end,
}
