"""Imports a small and a large file of configuration objects each round; prints medians and ratios."""

import json
import statistics
import subprocess
import sys
import time
import urllib.request

from server import Bench, Server

work, rounds, rows, muniment, postgres_bin = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6]
bench = Bench(work, muniment, postgres_bin)


def file_of(count):
    """Transforms and rules, each of which refers to two others by id and by name."""
    objects = []
    for number in range(count):
        kind = "RULE" if number % 2 else "TRANSFORM"
        body = {"name": f"{kind} {number}", "type": "lower", "attributes": {"text": "x" * 300}}
        if number > 2:
            for place, other in (("first", number // 2), ("second", number - 2)):
                other_kind = "RULE" if other % 2 else "TRANSFORM"
                body[place] = {"type": other_kind, "id": f"{other:032x}", "name": f"{other_kind} {other}"}
        name = f"{kind} {number}"
        objects.append({"version": 1, "self": {"type": kind, "id": f"{number:032x}", "name": name}, "object": body})
    objects.reverse()
    return json.dumps({"version": 1, "objects": objects}).encode()


def timed_job(server, kind, start):
    started = time.monotonic()
    job = start()["jobId"]
    while (shown := server.request(f"/sp-config/{kind}/{job}"))["status"] in ("NOT_STARTED", "IN_PROGRESS"):
        time.sleep(0.01)
    if shown["status"] != "COMPLETE":
        raise SystemExit(shown["message"])
    return time.monotonic() - started, job


def send(server, data):
    boundary = "b" * 32
    body = (f'--{boundary}\r\nContent-Disposition: form-data; name="data"; filename="f"\r\n\r\n').encode() + data
    body += f"\r\n--{boundary}--\r\n".encode()
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(urllib.request.Request(f"{server.address}/sp-config/import", body, headers)) as answer:
        return json.load(answer)


counts = {"small": rows // 10, "large": rows}
files = {name: file_of(count) for name, count in counts.items()}
rates, memory = {name: [] for name in counts}, {name: [] for name in [*counts, "all"]}
again, exports = [], []
for round in range(rounds):
    for name, data in files.items():
        database = f"{name}{round}"
        bench.psql("postgres", f"CREATE DATABASE {database}")
        server = Server(bench, database)
        took, job = timed_job(server, "import", lambda: send(server, data))
        imported = server.request(f"/sp-config/import/{job}/download")["results"]
        count = sum(len(of_type["importedObjects"]) for of_type in imported.values())
        if count != counts[name]:
            raise SystemExit(f"{count} objects were imported")
        rates[name].append(count / took)
        memory[name].append(server.memory())
        if name == "large":
            again.append(count / timed_job(server, "import", lambda: send(server, data))[0])
            exports.append(count / timed_job(server, "export", lambda: server.request("/sp-config/export", {}))[0])
            memory["all"].append(server.memory())
        subprocess.run([muniment, "projections", "verify", "--database-url", server.url], check=True, stdout=subprocess.DEVNULL)
        server.stop()
        bench.psql("postgres", f"DROP DATABASE {database}")
    print(f"round {round + 1}  {rates['large'][-1]:.0f} objects/s", file=sys.stderr)

median = statistics.median
small, large = median(rates["small"]), median(rates["large"])
print(f"\nmedians of {rounds} rounds")
print(f"  import {counts['small']:6} objects {small:8.0f}/s   the server's memory at most {median(memory['small']):.0f} MB")
print(f"  import {counts['large']:6} objects {large:8.0f}/s   the server's memory at most {median(memory['large']):.0f} MB")
print(f"  {large / small:.2f}x the rate of a tenth (demanded 0.8x)")
print(f"  the same file again {median(again):8.0f}/s   export {median(exports):8.0f}/s   with these, memory at most {median(memory['all']):.0f} MB")
print("  projections verify found no difference")
