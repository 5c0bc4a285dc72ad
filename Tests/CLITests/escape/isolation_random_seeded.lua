-- Attack: Seeds the random numbers of all others.
-- Expect: reply true

local function draw() return math.random(0) end
return {
  run = function(ctx, input)
    local before = draw()
    math.randomseed(7)
    local a = draw()
    math.randomseed(7)
    return tostring(a == draw() and a ~= before)
  end,
}
