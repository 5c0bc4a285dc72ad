-- Attack: Returns an output schema that nests a hundred thousand deep.
-- Expect: refused

local t = { type = "string" }
for _ = 1, 100000 do t = { type = "object", properties = { x = t } } end
return { prompt = "You nest.", output = t }
