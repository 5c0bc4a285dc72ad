-- Attack: Raises the error of a full server, with the codes of the host.
-- Expect: shutting_down go away

return {
  run = function(ctx, input)
    error({ code = "shutting_down", message = "go away", retryable = true })
  end,
}
