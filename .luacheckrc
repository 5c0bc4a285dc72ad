stds.perigee = {
  read_globals = {
    "agents",
    "approval",
    "crypto",
    "db",
    "event",
    "files",
    "guard",
    "http",
    "json",
    "kv",
    "llm",
    "log",
    "parallel",
    "queue",
    "reject",
    "secrets",
    "text",
    "time",
    "tools",
    "uuid",
  },
}
std = "lua54+perigee"
not_globals = {
  "collectgarbage", "debug", "dofile", "io", "loadfile", "package", "warn",
}
self = false
ignore = { "21./_.*" }
max_line_length = 120
exclude_files = { "types/" }
