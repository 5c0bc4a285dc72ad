// SPDX-License-Identifier: Apache-2.0

extension ScriptPolicy {
  /// SQL functions that compute and touch nothing else.
  ///
  /// Source: https://www.sqlite.org/lang_corefunc.html, lang_mathfunc.html, lang_datefunc.html,
  /// lang_aggfunc.html, windowfunctions.html, json1.html, fts5.html.
  static let functions: Set<String> = [
    // Core. LIKE, GLOB and -> are functions to the authorizer.
    "abs", "changes", "char", "coalesce", "format", "glob", "hex", "ifnull", "iif", "instr",
    "last_insert_rowid", "length", "like", "likelihood", "likely", "lower", "ltrim", "max", "min", "nullif",
    "printf", "quote", "random", "randomblob", "replace", "round", "rtrim", "sign", "soundex",
    "sqlite_version", "substr", "substring", "total_changes", "trim", "typeof", "unicode", "unlikely",
    "upper", "zeroblob",
    // Mathematics.
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees",
    "exp", "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power", "radians", "sin", "sinh",
    "sqrt", "tan", "tanh", "trunc",
    // Date and time.
    "current_date", "current_time", "current_timestamp", "date", "datetime", "julianday", "strftime", "time",
    "unixepoch",
    // Aggregates and windows.
    "avg", "count", "cume_dist", "dense_rank", "first_value", "group_concat", "lag", "last_value", "lead",
    "nth_value", "ntile", "percent_rank", "rank", "row_number", "sum", "total",
    // JSON.
    "->", "->>", "json", "json_array", "json_array_length", "json_extract", "json_group_array",
    "json_group_object", "json_insert", "json_object", "json_patch", "json_quote", "json_remove",
    "json_replace", "json_set", "json_type", "json_valid",
    // Full text.
    "bm25", "highlight", "match", "snippet",
  ]
}
