-- Attack: Walks the libraries with next and pairs and changes what it gets.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    local seen = 0
    for _, value in next, _G do
      if type(value) == "table" and value ~= _G then
        for name in pairs(value) do
          seen = seen + 1
          value[name] = nil
        end
      end
    end
    return "changed " .. seen
  end,
}
