-- Attack: Sends a request while the file loads.
-- Expect: refused not available while a script loads

http.get("http://127.0.0.1/")
return { run = function() return "loaded" end }
