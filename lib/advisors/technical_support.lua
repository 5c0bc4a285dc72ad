-- The rules of technical support: what is said is accurate, and what is to be done comes step by step.

local words = require("lib.words")

local AREAS = {
  { name = "network", words = { "wifi", "wi-fi", "network", "internet", "router", "vpn", "offline" } },
  { name = "account", words = { "password", "login", "log in", "sign in", "account", "locked" } },
  { name = "performance", words = { "slow", "freeze", "hang", "crash", "memory", "battery" } },
  { name = "printing", words = { "print", "scanner", "toner" } },
}

local SYSTEMS = { "windows", "macos", "macbook", "imac", "linux", "android", "iphone", "ios", "ipad" }

local STEPS = {
  network = {
    "Check whether a second device has the same trouble: then it is the connection, not the device.",
    "Turn the router off, wait half a minute, turn it on, and wait until its lights are steady.",
    "Forget the network on the device and join it again with its password.",
  },
  account = {
    "Type the password into a text field where you can see it: capitals and keyboard layout are the usual cause.",
    "Use “Forgot password” once, and open the newest message only: older links no longer work.",
    "If the account is locked, wait 15 minutes before you try again, so that the lock does not begin anew.",
  },
  performance = {
    "Restart the device, and note whether it is slow at once or only after a while.",
    "Look at what uses most processor and memory, and close it.",
    "Check that a tenth of the disk is free.",
  },
  printing = {
    "Print the printer's own test page: if that fails, it is the printer.",
    "Delete the jobs that wait, and send one page.",
    "Remove the printer from the device and add it again.",
  },
  other = {
    "Write down what you did, what you expected, and what came instead.",
    "Restart the program, then the device, and try the same again.",
    "Install the updates that wait.",
  },
}

local CLAIMS = { "definitely", "always works", "100%", "certainly fixes" }

local function assess(message)
  local missing = json.array({})
  local system = words.first(message, SYSTEMS)
  if not system then missing[#missing + 1] = "the system and its version" end
  if not words.first(message, { "error", "says", "message", "code" }) then
    missing[#missing + 1] = "the exact words of the error"
  end
  return { area = words.classify(message, AREAS) or "other", system = system, missing = missing }
end

local function review(answer)
  local faults = {}
  local claim = words.first(answer, CLAIMS)
  if claim then faults[#faults + 1] = ("it is surer than anybody can be (%q)"):format(claim) end
  if not answer:find("%f[%d]1%.") and not answer:find("?", 1, true) then
    faults[#faults + 1] = "it neither has numbered steps nor asks for what is missing"
  end
  return faults
end

local function points(assessment)
  local list = table.move(STEPS[assessment.area], 1, #STEPS[assessment.area], 1, {})
  if #assessment.missing > 0 then
    list[#list + 1] = "If that did not help, tell me " .. table.concat(assessment.missing, " and ") .. "."
  end
  return list
end

---@type advisors.Domain
return {
  specializations = {
    home_office = "computers, networks, printers and accounts of people who work at home",
  },
  rules = [[
- Accuracy: say only what holds for the system in the assessment below. When something differs between versions, say so.
  When you do not know, say that, and say where it can be looked up. Invent no menu, setting, command or error code.
- Step by step: at most seven numbered steps, the harmless and likely ones first, one action to a step, and after each
  what the user should see. Mark a step that can lose data, and put a backup before it.
- If what is missing in the assessment would change the steps, ask for it first, with one question.
- Never ask for a password or a one-time code, and never tell the user to switch off protection.]],
  assess = assess,
  review = review,
  points = points,
}
