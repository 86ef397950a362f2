"""Imports a feed into a fresh database each round, beside COPY of the same rows; prints medians and ratios."""

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

work, rounds, rows, muniment, postgres_bin, load = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:7]
socket = f"{work}/postgres"


def feed(folder):
    """Where `muniment sample` put the only application."""
    return f"{work}/{folder}/core-banking"


def psql(database, *commands):
    arguments = [argument for command in commands for argument in ("-c", command)]
    program = [f"{postgres_bin}/psql", "-h", socket, "-U", "postgres", "-d", database, "-qX", "-v", "ON_ERROR_STOP=1"]
    subprocess.run(program + arguments, check=True, stdout=subprocess.DEVNULL)


def timed(work):
    started = time.monotonic()
    work()
    return time.monotonic() - started


class Server:
    def __init__(self, database, token="bench"):
        self.url = f"postgres://postgres@localhost/{database}?host={socket}"
        create = [muniment, "token", "create", "--name", token, "--role", "administrator", "--database-url", self.url]
        self.token = subprocess.run(create, check=True, capture_output=True, text=True).stdout.strip()
        serve = [muniment, "serve", "--listen", "127.0.0.1:0", "--database-url", self.url, "--data-dir", f"{work}/data"]
        self.log = open(f"{work}/{database}.log", "w+")
        environment = os.environ | {"MUNIMENT_RATE_LIMIT": "0", "NO_COLOR": "1"}
        self.process = subprocess.Popen(serve, stdout=self.log, stderr=subprocess.STDOUT, env=environment)
        for _ in range(300):
            time.sleep(0.1)
            with open(self.log.name) as log:
                found = re.search(r"127\.0\.0\.1:([1-9]\d*)", log.read())
            if found:
                self.address = f"http://127.0.0.1:{found[1]}"
                return
        raise SystemExit(f"the server does not listen: {open(self.log.name).read()}")

    def request(self, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address + path, data, headers)) as answer:
            return json.load(answer)

    def import_file(self, application, file):
        group = application["connector"]["fileGroups"][0]["id"]
        form = ["-F", f"applicationId={application['id']}", "-F", f"{group}=@{file};type=text/csv"]
        upload = ["curl", "-sf", "-H", f"Authorization: Bearer {self.token}", *form]
        answer = subprocess.run(
            [*upload, f"{self.address}/api/application-imports/upload"], check=True, capture_output=True, text=True
        )
        path = f"/api/application-imports/{json.loads(answer.stdout)['id']}"
        while (detail := self.request(path))["status"] in ("Pending", "Running"):
            time.sleep(0.1)
        if detail["status"] != "Finished":
            raise SystemExit(detail["log"])
        return detail["metrics"]

    def applies(self, application):
        """Waits until the application has its first grant."""
        while not self.request(f"/api/applications/{application['id']}/grants")["totalCount"]:
            time.sleep(0.1)

    def p99_ms(self, seconds):
        """Of interactive commands, 32 callers at a time."""
        program = [load, "--url", self.address, "--callers", "32", "--seconds", str(seconds), "--mode", "create"]
        answer = subprocess.run(program, check=True, capture_output=True, text=True, env=os.environ | {"TOKEN": self.token})
        return json.loads(answer.stdout)["p99_us"] / 1000

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def page_ms(server, path):
    server.request(path)
    return statistics.median(timed(lambda: server.request(path)) for _ in range(20)) * 1000


results = {name: [] for name in ("COPY", "first", "changed", "same", "rebuild", "page 1", "last page", "memory", "p99 alone", "p99 beside")}
for round in range(rounds):
    psql("postgres", f"CREATE DATABASE m{round}", f"CREATE DATABASE c{round}", "CHECKPOINT")
    psql(f"c{round}", "CREATE TABLE grants (account text, entitlement text, PRIMARY KEY (account, entitlement))")
    copy = f"\\copy grants FROM '{feed('before')}/grants.csv' (FORMAT csv, HEADER)"
    results["COPY"].append(timed(lambda: psql(f"c{round}", copy)))
    psql("postgres", f"DROP DATABASE c{round}", "CHECKPOINT")
    server = Server(f"m{round}")
    with open(f"{feed('before')}/application.json") as body:
        application = server.request("/api/applications", json.load(body))
    for name, folder in (("first", "before"), ("same", "before"), ("changed", "after")):
        started = time.monotonic()
        metrics = server.import_file(application, f"{feed(folder)}/grants.csv")
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
    server = Server(f"m{round}", "bench beside")
    results["p99 alone"].append(server.p99_ms(5))
    with open(f"{feed('before')}/application.json") as body:
        application = server.request("/api/applications", json.load(body) | {"name": "Beside"})
    importing = threading.Thread(target=server.import_file, args=(application, f"{feed('before')}/grants.csv"))
    importing.start()
    server.applies(application)
    results["p99 beside"].append(server.p99_ms(10))
    if not importing.is_alive():
        print(f"round {round + 1}  the import ended before the commands beside it", file=sys.stderr)
    importing.join()
    server.stop()
    psql("postgres", f"DROP DATABASE m{round}")

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
