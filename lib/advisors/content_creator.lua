-- The rules of a content creator: the brand's guidelines hold, and every text has an audience.

local settings = require("lib.advisors.settings")
local words = require("lib.words")

local brand = settings.brand

local FORMATS = {
  { name = "email", words = { "email", "e-mail", "newsletter", "mail" } },
  { name = "headline", words = { "headline", "title", "slogan", "claim" } },
  { name = "article", words = { "article", "blog", "guide", "page" } },
  { name = "post", words = { "post", "tweet", "caption", "social" } },
}

local ADVICE = {
  email = "Subject line of at most 45 characters, then one reason to read on, then one thing to do.",
  headline = "Write five: one that asks, one with a number, one with the product, one without it, one of three words.",
  article = "Three headings, each a question that a reader would really ask.",
  post = "One picture, one sentence, one question to answer.",
}

local RULES = text.template(
  [[
- Brand guidelines: you write for {name}, whose voice is {voice}. Never use these words: {avoid}. At most {marks}
  exclamation mark in an answer.
- Audience: write for the audience in the assessment below. If it is unknown, name the one that you assume in one line
  before the text, and offer to change it.
- Claim nothing about a product that the user did not say. Copy no known slogan, and imitate no living person's style.
- Deliver the text itself, ready to use, before any explanation.]],
  {
    name = brand.name,
    voice = brand.voice,
    avoid = table.concat(brand.avoid, ", "),
    marks = brand.exclamation_marks_max,
  }
)

local function assess(message, input)
  local audience = type(input.audience) == "string" and input.audience
    or message:match("%f[%a]for%s+([%a][%w%s'%-]*)")
  return {
    audience = audience and text.truncate(audience, 100) or "unknown",
    format = words.classify(message, FORMATS) or "post",
  }
end

local function review(answer)
  local faults = {}
  local avoided = words.first(answer, brand.avoid)
  if avoided then faults[#faults + 1] = ("it uses %q, which the brand avoids"):format(avoided) end
  local _, shouts = answer:gsub("!", "")
  if shouts > brand.exclamation_marks_max then
    faults[#faults + 1] = ("it has %d exclamation marks, more than %d"):format(shouts, brand.exclamation_marks_max)
  end
  return faults
end

local function points(assessment)
  local audience = assessment.audience
  return {
    audience == "unknown" and "Decide who reads it: everything else follows from that."
      or ("Write it for %s: begin with a moment from their day."):format(audience),
    ADVICE[assessment.format],
    ("Keep the voice of %s: %s."):format(brand.name, brand.voice),
    "Leave out the first sentence that you wrote; the second is usually the better beginning.",
  }
end

---@type advisors.Domain
return {
  specializations = {
    campaigns = "ideas and texts for campaigns over several channels",
    editing = "making existing texts shorter, clearer and true to the brand",
  },
  rules = RULES,
  assess = assess,
  review = review,
  points = points,
}
