-- Attack: Writes a global while the file loads.
-- Expect: refused assignment to global 'leak'

leak = 1
return { run = function() return "loaded" end }
