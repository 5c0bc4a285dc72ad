-- What a deployment of the advisors may want otherwise. A module is made once in a run: whoever requires it gets this
-- one table, so settings need no class and no accessor to be a singleton.

return {
  -- Characters of one message.
  message_chars_max = 4000,
  -- Past messages that are kept of a conversation, and that the model sees.
  history = 20,
  -- How long an answer may be given again to the same question of the same user, by who gave it: the rules answer in
  -- the model's place, which may soon be back.
  cache_seconds = { model = 600, rules = 60 },
  -- Things that a user may ask an advisor to remember.
  notes_max = 20,
  -- Whose words the content creator writes.
  brand = {
    name = "Harbour Tea",
    voice = "warm, plain and a little dry",
    avoid = { "revolutionary", "world-class", "cheap", "miracle", "best in the world" },
    exclamation_marks_max = 1,
  },
}
