-- Attack: Calls the host while the file loads.
-- Expect: refused not available while a script loads

kv.set("leak", 1)
return { run = function() return "loaded" end }
