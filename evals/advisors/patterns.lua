-- The parts that advisors are made of, each on its own. The message does not matter: the check is what is tried.

local channel = require("lib.advisors.channel")
local content_creator = require("lib.advisors.content_creator")
local factory = require("lib.advisors.factory")
local financial_advisor = require("lib.advisors.financial_advisor")
local notebook = require("lib.advisors.notebook")
local personalities = require("lib.advisors.personalities")
local settings = require("lib.advisors.settings")
local technical_support = require("lib.advisors.technical_support")

local function part(name, check)
  return { name = name, agent = "advisors.support", turns = { { user = "/help", expect = { check = check } } } }
end

local function refuses(config, what)
  local ok, problem = pcall(factory.create, config)
  assert(not ok and problem:find(what, 1, true), problem)
end

---@type perigee.Eval[]
return {
  part("factory: names that do not exist are refused", function()
    refuses({ personality = "moody", domain = "content_creator", specialization = "editing" }, "personality")
    refuses({ personality = "creative", domain = "astrology", specialization = "editing" }, "domain")
    refuses({ personality = "creative", domain = "content_creator", specialization = "taxes" }, "specialization")
  end),

  part("strategy: each personality has words of its own", function()
    local points = { "one", "two" }
    local analytical, creative = personalities.analytical.write(points), personalities.creative.write(points)
    assert(analytical ~= creative)
    assert(analytical:find("2. two", 1, true) and creative:find("2. two", 1, true))
  end),

  part("observer: all who subscribe are told, in order, until they leave", function()
    local told, heard = channel.new(), {}
    local leave = told.subscribe(function(news) heard[#heard + 1] = "first " .. news end)
    told.subscribe(function(news) heard[#heard + 1] = "second " .. news end)
    told.notify("a")
    leave()
    told.notify("b")
    assert(table.concat(heard, ", ") == "first a, second a, second b", table.concat(heard, ", "))
  end),

  part("singleton: there are no other settings", function()
    assert(settings == require("lib.advisors.settings"))
    assert(settings.message_chars_max == 4000 and settings.history == 20)
  end),

  part("rules of finance: promises and silence about risk are found", function()
    assert(#financial_advisor.review("The risk is small. Returns are not guaranteed.") == 0)
    assert(#financial_advisor.review("There is a risk, but we guarantee 10% a year.") == 1)
    assert(#financial_advisor.review("Buy a fund.") == 1)
  end),

  part("rules of the brand: words that it avoids and shouting are found", function()
    assert(#content_creator.review("A cup for the quiet hours!") == 0)
    assert(#content_creator.review("A revolutionary tea") == 1)
    assert(#content_creator.review("Hot! Wet! Tea!") == 1)
  end),

  part("rules of support: certainty and answers without steps are found", function()
    assert(#technical_support.review("1. Restart it.\n2. Try again.") == 0)
    assert(#technical_support.review("Which version is it?") == 0)
    assert(#technical_support.review("1. This definitely helps.") == 1)
    assert(#technical_support.review("Just restart it.") == 1)
  end),

  part("history: the last 20 messages are kept, and all are counted", function()
    local conversation = { message_count = 0, tokens_used = 0, history = {} }
    local reply = { text = "yes", data = { usage = { input_tokens = 3, output_tokens = 1 } } }
    for i = 1, 15 do notebook.add_turn(conversation, "question " .. i, reply) end
    assert(#conversation.history == 20 and conversation.history[1].content == "question 6")
    assert(conversation.message_count == 30 and conversation.tokens_used == 60)
  end),
}
