# SPDX-License-Identifier: Apache-2.0
"""The figures as a table, beside what the project wants them to be."""

import statistics

# They inform; no run fails because of them. CPU a turn and the share of the ideal are what nginx with Lua
# reached for the same work on a virtual machine with two cores; the memory is for 10,000 conversations.
GOALS = {
    "cpu_plain": 0.20,
    "cpu_tool": 0.25,
    "first_token_ms": 1,
    "waiting_failed": 0,
    "waiting_share": 0.85,
    "waiting_rss_mb": 120,
    "idle_lua_mb": 12,
    "limits_share": 5,
    "overhead_us": 25,
    "neighbour_p99_ms": 20,
    "overrun_ms": 50,
    "reload_ms": 100,
    "start_ms": 500,
    "grown_mb": 0.1,
}
# Above this share of the machine's CPU the neighbours were too loud to compare figures.
QUIET_SHARE = 0.10
KINDS = ("plain", "tool", "streamed")


def stream_figures(alone, many):
    who = "added to the first token, 1 user"
    yield f"{who}, p50", alone["added_p50_ms"], "ms", 2, GOALS["first_token_ms"]
    yield f"{who}, p99", alone["added_p99_ms"], "ms", 2, None
    who = f"{many['streams']:,} streams"
    if many["finished"]:
        yield f"{who}: tokens", many["tokens_per_second"], "per second", 0, None
        share = many["tokens_per_second"] / many["ideal_tokens_per_second"]
        yield f"{who}: share of the ideal", share * 100, "%", 0, None
        yield f"{who}: first token p99", many["first_token_p99_ms"], "ms", 0, None
        yield f"{who}: between tokens p99", many["gap_p99_ms"], "ms", 0, None
        yield f"{who}: CPU a turn", many["cpu_seconds_per_1000"], "s per 1,000", 2, None
    yield f"{who}: turns failed", many["failed"], "", 0, 0


def waiting_figures(waiting, is_first):
    """Rows of one set; the goals of speed and memory are those of the first one only."""
    who = f"{waiting['conversations']:,} conversations" + (", HTTP/2" if waiting.get("is_secure") else "")
    yield f"{who}: turns finished", waiting["finished"], "", 0, None
    yield f"{who}: turns failed", waiting["failed"], "", 0, GOALS["waiting_failed"]
    yield f"{who}: turns", waiting["turns_per_second"], "per second", 0, None
    if is_first:
        share = waiting["turns_per_second"] / waiting["ideal_turns_per_second"]
        yield f"{who}: share of the ideal", share * 100, "%", 0, GOALS["waiting_share"] * 100
    yield f"{who}: at the provider at once", waiting["calls_open_max"], "", 0, None
    yield f"{who}: p50", waiting["p50_ms"], "ms", 0, None
    yield f"{who}: p99", waiting["p99_ms"], "ms", 0, None
    goal = GOALS["waiting_rss_mb"] if is_first else None
    yield f"{who}: peak memory", waiting["peak_rss_mb"], "MB", 0, goal
    yield f"{who}: memory of one", waiting["kb_per_conversation"], "KB", 0, None


def figures(results):
    """`(name, value, unit, digits, goal)` of each row; a goal is an upper bound, a share's a lower one."""
    for name in KINDS:
        rounds = [r["cpu_seconds_per_1000"] for r in results["throughput"][name] if r["finished"]]
        if rounds:
            median = statistics.median(rounds)
            yield f"CPU a {name} turn, 32 users", median, "s per 1,000", 3, GOALS.get(f"cpu_{name}")
    for name in KINDS:
        rate = statistics.median(r["turns_per_second"] for r in results["throughput"][name])
        yield f"{name} turns, 32 users", rate, "per second", 0, None
    for name in ("plain", "tool"):
        for percentile in ("p50", "p99"):
            added = results["latency"][name][f"added_{percentile}_ms"]
            yield f"added to a {name} turn, 1 user, {percentile}", added, "ms", 2, None
    yield from stream_figures(results["first_token"], results["streams"])
    # The last windows: by then every cache is as large as it gets.
    grown = {name: rounds[-1].get("grown_mb_per_1000", 0) for name, rounds in results["throughput"].items()}
    stays = max(grown["plain"], grown["tool"])
    yield "memory that stays of 1,000 turns", stays, "MB", 2, GOALS["grown_mb"]
    yield "memory that stays of 1,000 streamed turns", grown["streamed"], "MB", 2, None
    for number, waiting in enumerate(results["waiting"]):
        yield from waiting_figures(waiting, is_first=number == 0)
    idle = results["idle"]
    if idle:
        who = f"{idle['runs']:,.0f} idle runs: Lua memory"
        yield who, idle["memory_mb"], f"MB, {idle['cells']:.0f} cells", 1, GOALS["idle_lua_mb"]
    limits = results["limits"]
    yield "scripts of a turn, with limits", limits["with_us"], "µs", 1, None
    yield "scripts of a turn, without", limits["without_us"], "µs", 1, None
    rounds = [r["cpu_seconds_per_1000"] for r in results["throughput"]["tool"] if r["finished"]]
    if rounds:
        cost = max(0.0, limits["with_us"] - limits["without_us"]) / (statistics.median(rounds) * 1000)
        yield "limits, part of a tool turn", cost * 100, "%", 1, GOALS["limits_share"]
    overhead = results["overhead"]
    yield "who asks, and how often, of a request", overhead["access_us"], "µs", 1, None
    yield "audit trail, of a turn", overhead["audit_us"], "µs", 1, None
    yield "metrics, of a turn", overhead["metrics_us"], "µs", 1, None
    yield "access, audit and metrics together", sum(overhead.values()), "µs", 1, GOALS["overhead_us"]
    hostile = results["attacks"]
    if hostile:
        who = f"neighbour of {hostile['at_once']} attacks at once"
        yield f"{who}: wrong answers", hostile["wrong_answers"], f"of {hostile['answers']:,}", 0, 0
        yield f"{who}: p50", hostile["p50_ms"], "ms", 1, None
        yield f"{who}: p99", hostile["p99_ms"], "ms", 1, GOALS["neighbour_p99_ms"]
        yield f"{who}: longest", hostile["max_ms"], "ms", 0, None
        stopped = f"ms, {hostile['stopped']} runs"
        yield "stopped behind the deadline, at most", hostile["overrun_max_ms"], stopped, 1, GOALS["overrun_ms"]
    edited = results["reload"]
    if edited:
        who = f"saved to answered, 1 of {edited['scripts']:,} scripts"
        yield f"{who}: p50", edited["p50_ms"], "ms", 0, GOALS["reload_ms"]
        yield f"{who}: longest", edited["max_ms"], "ms", 0, None
        yield f"{who}: all use it, p50", edited["module_p50_ms"], "ms", 0, None
    yield "memory at rest", results["start"]["idle_rss_mb"], "MB", 0, None
    yield "start until ready", results["start"]["start_ms"], "ms", 0, GOALS["start_ms"]


def table(results):
    lines = [f"{'':46}{'measured':>12}  {'unit':12}{'goal':>8}"]
    for name, value, unit, digits, goal in figures(results):
        line = f"{name:46}{value:>12,.{digits}f}  {unit:12}"
        if goal is not None:
            is_met = value >= goal if "share" in name else value <= goal
            sign = ">=" if "share" in name else "<="
            line += f"{sign + format(goal, ',g'):>8}  {'met' if is_met else 'missed'}"
        lines.append(line.rstrip())
    windows = [r for rounds in results["throughput"].values() for r in rounds]
    single = [results["latency"][name] for name in ("plain", "tool")] + [results["first_token"]]
    many = results["waiting"] + [results["streams"]]
    loudest = max(r["other_cpu_share"] for r in windows + single + many)
    lines.append(f"\nOther processes used up to {loudest:.0%} of the machine meanwhile.")
    if loudest > QUIET_SHARE:
        lines.append("That is a lot: take CPU a turn as an upper bound and ignore turns per second.")
    failed = sum(r["failed"] for r in windows + single)
    if failed:
        lines.append(f"{failed} turns failed in the windows of 1 and 32 users.")
    return "\n".join(lines)
