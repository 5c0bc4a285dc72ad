local function percent(row) return 100 * row.up // (row.up + row.down) end

local function table_of(versions)
  if #versions == 0 then return "Nobody has rated anything yet." end
  local lines = {}
  for i, row in ipairs(versions) do
    lines[i] = ("%s: %d up, %d down, %d%% up"):format(text.truncate(row.version, 20), row.up, row.down, percent(row))
  end
  return table.concat(lines, "\n")
end

---@type perigee.Agent
return {
  description = "Tells operators how answers were rated, by version of the scripts.",
  temperature = 0,
  tools = { "summarize_feedback", "list_complaints" },
  allow = { roles = { "operator", "admin" } },
  limits = { steps = 4, seconds = 30 },

  prompt = [[
You tell operators what users think of the support desk's answers, by version of its scripts.
- Call summarize_feedback first. Give for each version its first 12 characters after "sha256:", thumbs up and down, and
  the share of thumbs up.
- Say that a version is worse than the one before it only when both have at least 20 thumbs; below that say that there
  is too little to tell.
- If one is worse, call list_complaints and name at most three things that its complaints have in common, each with a
  run_id to look at. Then suggest: perigee bisect evals/cloud --good OLDER --bad NEWER.
Numbers come from the tools alone. At most eight lines.]],

  stub = function()
    local versions = tools.call("summarize_feedback").versions
    return { text = table_of(versions), data = { versions = versions } }
  end,
}
