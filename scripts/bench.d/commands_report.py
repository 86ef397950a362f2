"""The report of scripts/bench commands: medians, ratios and the raw numbers. Usage: commands_report.py RESULTS SECONDS

Ratios are medians of the ratios of each round, whose runs stood side by side. Exit status 1: an error, or a ratio not reached.
"""

import json
import sys
from statistics import median

# callers, mode, baseline, ratio demanded, ratio aimed at
DEMANDED = [
    (256, "create", "stock", 4.0, 6.0),
    (256, "rename", "stock", 2.5, None),
    (256, "create", "pgbench", 1.0, 2.0),
    (1, "create", "stock", 1.0, None),
    (1, "rename", "stock", 1.0, None),
]


def main(path, seconds):
    with open(path) as lines:
        results = [json.loads(line) for line in lines]
    runs = {}
    for result in results:
        runs.setdefault((result["callers"], result["mode"], result["system"]), []).append(result)
    rounds = max(result["round"] for result in results)

    def rates(*key):
        return [run["rate"] for run in sorted(runs.get(key, []), key=lambda run: run["round"])]

    def ratios(callers, mode, baseline):
        pairs = zip(rates(callers, mode, "muniment"), rates(callers, mode, baseline))
        return [ours / max(theirs, 1) for ours, theirs in pairs]

    def latency(key):
        if key[2] == "pgbench":
            return f"mean {median(run['mean_us'] for run in runs[key]) / 1000:.2f}"
        return " / ".join(f"{median(run[p] for run in runs[key]) / 1000:.2f}" for p in ("p50_us", "p99_us"))

    print(f"commands per second, medians of {rounds} interleaved rounds of {seconds} s\n")
    print("callers  mode    system        rate  p50 / p99 ms   muniment is   each round")
    for key in sorted(runs, key=lambda key: (key[0], key[1], ["muniment", "stock", "pgbench"].index(key[2]))):
        callers, mode, system = key
        each = " ".join(f"{rate:6}" for rate in rates(*key))
        ratio = "" if system == "muniment" else f"{median(ratios(*key)):.2f}×"
        print(f"{callers:7}  {mode:6}  {system:8}  {median(rates(*key)):8.0f}  {latency(key):>13}  {ratio:>11}   {each}")

    print("\ndemanded")
    good = True
    for callers, mode, baseline, demanded, aim in DEMANDED:
        each = ratios(callers, mode, baseline)
        ratio = median(each)
        verdict = "reached" if ratio >= demanded else "NOT reached"
        if aim:
            verdict += f"; aim {aim:.1f}× {'reached' if ratio >= aim else 'not reached'}"
        raw = " ".join(f"{value:.2f}" for value in each)
        print(f"  {mode} at {callers:3} callers  {demanded:.1f}× {baseline:7}  {ratio:5.2f}×  {verdict}  ({raw})")
        good = good and ratio >= demanded

    for result in results:
        if result["errors"]:
            print(f"  {result['errors']} errors: round {result['round']}, {result['system']}, {result['mode']} at {result['callers']}")
            good = False
    return 0 if good else 1


sys.exit(main(sys.argv[1], sys.argv[2]))
