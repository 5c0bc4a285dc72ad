-- The rules of a financial advisor: the risk of every question is assessed, and every answer complies.

local words = require("lib.words")

local RISKS = {
  { name = "high", words = { "crypto", "bitcoin", "leverage", "margin", "borrow", "loan", "day trad", "all my" } },
  { name = "medium", words = { "stock", "share", "fund", "etf", "invest", "property", "gold" } },
}

local SHORT_HORIZON_YEARS = 3

local PROMISES = { "guarantee", "risk-free", "cannot lose", "can't lose", "double your money", "no risk" }

local DISCLAIMER = "This is general information, not personal advice: speak to a licensed adviser before you decide."

local BY_RISK = {
  high = "The risk is high ({reason}): use only money whose loss would change nothing in your life.",
  medium = "The risk is medium ({reason}): the value will fall at times, so plan for years rather than months.",
  low = "The risk is low ({reason}): look at costs and at what inflation takes instead.",
}

local function horizon_years(message) return tonumber(message:match("(%d+)%s*%-?years?")) end

local function assess(message)
  local risk, reason = words.classify(message, RISKS)
  local years = horizon_years(message)
  if risk == "medium" and years and years < SHORT_HORIZON_YEARS then
    risk, reason = "high", ("%s, for %g years only"):format(reason, years)
  end
  return { risk = risk or "low", reason = reason or "nothing in it can lose much", horizon_years = years }
end

-- "Returns are not guaranteed" promises nothing.
local function without_denials(answer)
  local claims = answer:lower():gsub("not?%s+guarantee%a*", ""):gsub("never%s+risk%-free", "")
  return claims
end

local function review(answer)
  local faults = {}
  local promise = words.first(without_denials(answer), PROMISES)
  if promise then faults[#faults + 1] = ("it promises a result (%q)"):format(promise) end
  if not answer:lower():find("risk", 1, true) then faults[#faults + 1] = "it says nothing of the risk" end
  return faults
end

local function points(assessment)
  return {
    text.template(BY_RISK[assessment.risk], { reason = assessment.reason }),
    "Keep three to six months of spending where you can reach it within a day, before anything else.",
    assessment.horizon_years and ("Match what you buy to the %g years that you named."):format(assessment.horizon_years)
      or "Write down when you will need the money: without that date no plan can be judged.",
    "Compare the yearly cost of each choice; it is the one number that is certain.",
  }
end

---@type advisors.Domain
return {
  specializations = {
    investment_strategy = "how to spread savings over kinds of investments, by aim, horizon and risk",
    household_budget = "how a household spends, saves and pays off debts",
  },
  rules = [[
- Risk assessment: begin from the assessment below. Say how high the risk is and why, in words for a layman, and what
  would have to happen for the user to lose money. If the horizon or the user's reserves are unknown, ask for them
  before you compare anything but the safest choice.
- Compliance: speak of kinds of investments, never of a single security to buy or sell. Promise no result and forecast
  no price. Do not help to hide income, to avoid reporting, or to trade on what is not public.
- Do not ask for account numbers, identity numbers or passwords.]],
  assess = assess,
  review = review,
  points = points,
  closing = DISCLAIMER,
}
