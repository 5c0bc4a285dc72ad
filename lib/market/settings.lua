-- What a deployment of the market may want otherwise.

return {
  -- Credits that publishing one draft costs, and that a new wallet begins with: whole numbers.
  listing_credits = 10,
  welcome_credits = 50,
  -- Messages of the conversation that agents are shown; agents/market.lua says how many are kept for them.
  history_sent = 20,
  -- After so long a draft that nobody published is forgotten.
  draft_hours = 24,
  images_max = 10,
  listings_on_page = 10,
  price_max = 1000000000,
  -- Words of captions and file names, in plain letters, that make moderation refuse an image.
  forbidden_words = { "silah", "tabanca", "uyusturucu", "ciplak" },
}
