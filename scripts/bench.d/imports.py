"""Imports a feed into a fresh database each round, beside COPY of the same rows; prints medians and ratios."""

import json
import statistics
import subprocess
import sys
import threading
import time

from server import Bench, Server, page_ms, timed

work, rounds, rows, muniment, postgres_bin, load = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:7]
bench = Bench(work, muniment, postgres_bin)


def feed(folder):
    """Where `muniment sample` put the only application."""
    return f"{work}/{folder}/core-banking"


results = {name: [] for name in ("COPY", "first", "changed", "same", "rebuild", "page 1", "last page", "memory", "p99 alone", "p99 beside")}
for round in range(rounds):
    bench.psql("postgres", f"CREATE DATABASE m{round}", f"CREATE DATABASE c{round}", "CHECKPOINT")
    bench.psql(f"c{round}", "CREATE TABLE grants (account text, entitlement text, PRIMARY KEY (account, entitlement))")
    copy = f"\\copy grants FROM '{feed('before')}/grants.csv' (FORMAT csv, HEADER)"
    results["COPY"].append(timed(lambda: bench.psql(f"c{round}", copy)))
    bench.psql("postgres", f"DROP DATABASE c{round}", "CHECKPOINT")
    server = Server(bench, f"m{round}")
    with open(f"{feed('before')}/application.json") as body:
        application = server.request("/api/applications", json.load(body))
    for name, folder in (("first", "before"), ("same", "before"), ("changed", "after")):
        started = time.monotonic()
        metrics = server.import_files(application, feed(folder))
        results[name].append(time.monotonic() - started)
        print(f"round {round + 1}  {name:8}{results[name][-1]:8.2f} s  {metrics['grants']}", file=sys.stderr)
        if name == "first":
            path = f"/api/applications/{application['id']}/grants?page="
            pages = server.request(path + "1")["totalPages"]
            results["page 1"].append(page_ms(server, path + "1"))
            results["last page"].append(page_ms(server, f"{path}{pages}"))
    results["memory"].append(server.memory())
    server.stop()
    rebuild = [muniment, "projections", "rebuild", "--database-url", server.url]
    results["rebuild"].append(timed(lambda: subprocess.run(rebuild, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
    server = Server(bench, f"m{round}", "bench beside")
    results["p99 alone"].append(server.p99_ms(load, 5))
    with open(f"{feed('before')}/application.json") as body:
        application = server.request("/api/applications", json.load(body) | {"name": "Beside"})
    importing = threading.Thread(target=server.import_files, args=(application, feed('before')))
    importing.start()
    server.applies(application)
    results["p99 beside"].append(server.p99_ms(load, 5))
    if not importing.is_alive():
        print(f"round {round + 1}  the import ended before the commands beside it", file=sys.stderr)
    importing.join()
    server.stop()
    bench.psql("postgres", f"DROP DATABASE m{round}")

median = {name: statistics.median(values) for name, values in results.items()}
print(f"\n{rows} grants, medians of {rounds} rounds")
for name in ("COPY", "first", "same", "changed", "rebuild"):
    each = " ".join(f"{value:.2f}" for value in results[name])
    print(f"  {name:10}{median[name]:8.2f} s {rows / median[name]:10.0f} rows/s   {each}")
print(f"  first import {median['COPY'] / median['first']:.2f}× COPY (demanded 0.2×, aim 0.5×)")
print(f"  changed feed {median['COPY'] / median['changed']:.2f}× COPY (demanded 1×, aim 2×)")
print(f"  rebuild      {median['rebuild'] / median['first']:.2f}× the first import's time (demanded at most 0.9×)")
print(f"  page 1 {median['page 1']:.1f} ms, last page {median['last page']:.1f} ms: {median['last page'] / median['page 1']:.1f}× (demanded at most 5×)")
print(
    f"  p99 of commands at 32 callers: alone {median['p99 alone']:.1f} ms, beside an import {median['p99 beside']:.1f} ms"
    f" (demanded at most {max(5 * median['p99 alone'], 25):.0f} ms)"
)
print(f"  the server's memory at most {median['memory']:.0f} MB (demanded under 300 MB)")
