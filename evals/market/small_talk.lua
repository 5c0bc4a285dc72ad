-- What the market says when it has nothing to do.

local function says(message, words)
  return {
    user = message,
    expect = {
      { data = { intent = "small_talk" }, contains = words },
      { not_called = "create_draft" },
      { not_called = "search_listings" },
    },
  }
end

---@type perigee.Eval[]
return {
  {
    name = "greets and explains the market",
    agent = "market",
    turns = {
      says("Merhaba", "hoş geldiniz"),
      says("GÜNAYDIN", "hoş geldiniz"),
      says("Teşekkürler", "Rica ederim"),
      says("Neler yapabilirim?", "satmak"),
    },
  },
}
