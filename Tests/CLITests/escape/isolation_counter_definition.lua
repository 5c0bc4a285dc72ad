-- Attack: Keeps a counter in its own definition.
-- Expect: reply 1

local definition = {}
definition.run = function(ctx, input)
  definition.count = (definition.count or 0) + 1
  return tostring(definition.count)
end
return definition
