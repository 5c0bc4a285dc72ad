-- Attack: Fails while the file loads.
-- Expect: refused boom

error("boom")
