local function add(_, results)
  local sum = 1
  for _, value in pairs(results) do sum = sum + (type(value) == "number" and value or 0) end
  return sum
end

---@type perigee.Agent
return {
  description = "A workflow of ten steps, one after another.",
  steps = {
    s1 = { run = add },
    s2 = { needs = { "s1" }, run = add },
    s3 = { needs = { "s2" }, run = add },
    s4 = { needs = { "s3" }, run = add },
    s5 = { needs = { "s4" }, run = add },
    s6 = { needs = { "s5" }, run = add },
    s7 = { needs = { "s6" }, run = add },
    s8 = { needs = { "s7" }, run = add },
    s9 = { needs = { "s8" }, run = add },
    s10 = { needs = { "s9" }, run = add },
  },
}
