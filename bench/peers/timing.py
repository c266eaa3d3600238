"""Timing and output shared by the peers: the same rules as package bench.

A case is warmed up, then repeated for about a second; short steps are timed several at a time. Repetitions are judged in parts of
0.3 s by the processor time that other processes used meanwhile: quiet parts are taken first. Output is one JSON object a line.
"""
import json
import os
import statistics
import sys
import time

BUDGET = float(os.environ.get("PEERS_SECONDS", "1"))
QUICK = os.environ.get("PEERS_QUICK", "") != ""
PART, REPETITION, QUIET, LEAST, MOST, PATIENCE = 0.3, 2e-3, 0.15, 7, 300, 2
SHORTEST = 0.05  # seconds about which /proc/stat tells something


def _machine_busy():
    try:
        with open("/proc/stat") as f:
            v = [int(x) for x in f.readline().split()[1:9]]
    except OSError:
        return None
    return (sum(v) - v[3] - v[4]) / os.sysconf("SC_CLK_TCK")


def _own_busy():
    t = os.times()
    return t.user + t.system


def _part(step, seconds, inner):
    times, all0, own0, start = [], _machine_busy(), _own_busy(), time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        t = time.perf_counter()
        for _ in range(inner):
            step()
        times.append((time.perf_counter() - t) / inner)
    took = time.perf_counter() - start
    if all0 is None or took < SHORTEST:
        return times, -1.0, took
    return times, max(0.0, (_machine_busy() - all0 - _own_busy() + own0) / took), took


def measure(step):
    """Times step(): (sorted seconds of the repetitions kept, cores that others used)."""
    budget, least = (0.01, 3) if QUICK else (BUDGET, LEAST)
    start, n = time.perf_counter(), 0
    while n < 3 or time.perf_counter() - start < min(0.1, budget):
        t = time.perf_counter()
        step()
        last = time.perf_counter() - t
        n += 1
    inner = max(1, int(REPETITION / max(last, 1e-9)))
    parts, quiet_time, quiet_reps, start = [], 0.0, 0, time.perf_counter()
    while True:
        times, other, took = _part(step, min(PART, budget), inner)
        parts.append((other, times))
        if other < QUIET:
            quiet_time += took
            quiet_reps += len(times)
        reps = sum(len(t) for _, t in parts)
        late = time.perf_counter() - start >= PATIENCE * budget
        if reps >= MOST or reps >= least and (late or quiet_time >= budget and quiet_reps >= least):
            break
    parts.sort(key=lambda p: p[0])
    kept, worst = [], -1.0
    for other, times in parts:
        if other >= QUIET and len(kept) >= least:
            break
        kept += times
        worst = other
    return sorted(kept), worst


def report(workload, peer, size, make, flops=0.0, **extra):
    """Times make()() and prints a line; a peer that cannot do a case says so in a note."""
    line = {"workload": workload, "peer": peer, "device": "cpu", "dtype": "f32", "size": size}
    try:
        times, other = measure(make())
    except Exception as e:  # whatever a peer throws is its result
        text = (str(e).strip().splitlines() or [""])[0]
        line["note"] = "failed: %s: %s" % (type(e).__name__, text[:200])
        print(json.dumps(line), flush=True)
        return
    median = statistics.median(times)
    line.update(median_ms=round(median * 1e3, 6), min_ms=round(times[0] * 1e3, 6), max_ms=round(times[-1] * 1e3, 6),
                reps=len(times), other_cpu=round(other, 3))
    if flops:
        line["gflops"] = round(flops / median / 1e9, 2)
    line.update(extra)
    print(json.dumps(line), flush=True)


def module(name):
    """Imports a peer, or says on standard error that it is left out."""
    try:
        return __import__(name)
    except ImportError as e:
        print("peers: %s is left out: %s" % (name, e), file=sys.stderr)
        return None
