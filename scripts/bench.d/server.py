"""A server under test on the benchmarks' PostgreSQL, and what they ask of it."""

import json
import os
import re
import statistics
import subprocess
import time
import urllib.request


def timed(work):
    started = time.monotonic()
    work()
    return time.monotonic() - started


class Bench:
    """Where things are: the working folder, the program, PostgreSQL's programs."""

    def __init__(self, work, muniment, postgres_bin):
        self.work, self.muniment, self.postgres_bin = work, muniment, postgres_bin
        self.socket = f"{work}/postgres"

    def psql(self, database, *commands):
        arguments = [argument for command in commands for argument in ("-c", command)]
        program = [f"{self.postgres_bin}/psql", "-h", self.socket, "-U", "postgres", "-d", database, "-qX", "-v", "ON_ERROR_STOP=1"]
        subprocess.run(program + arguments, check=True, stdout=subprocess.DEVNULL)

    def url(self, database):
        return f"postgres://postgres@localhost/{database}?host={self.socket}"


class Server:
    def __init__(self, bench, database, token="bench"):
        self.url = bench.url(database)
        create = [bench.muniment, "token", "create", "--name", token, "--role", "administrator", "--database-url", self.url]
        self.token = subprocess.run(create, check=True, capture_output=True, text=True).stdout.strip()
        serve = [bench.muniment, "serve", "--listen", "127.0.0.1:0", "--database-url", self.url, "--data-dir", f"{bench.work}/data"]
        self.log = open(f"{bench.work}/{database}.log", "w+")
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

    def import_files(self, application, folder):
        """Uploads the application's files as `muniment sample` named them."""
        groups = application["connector"]["fileGroups"]
        files = [f"{group['id']}=@{folder}/{group['content']}.csv;type=text/csv" for group in groups]
        form = [argument for part in [f"applicationId={application['id']}", *files] for argument in ("-F", part)]
        upload = ["curl", "-sf", "-H", f"Authorization: Bearer {self.token}", *form]
        answer = subprocess.run(
            [*upload, f"{self.address}/api/application-imports/upload"], check=True, capture_output=True, text=True
        )
        path = f"/api/application-imports/{json.loads(answer.stdout)['id']}"
        # Often enough that the end is seen within 1 % of the shortest import, rarely enough to cost nothing.
        while (detail := self.request(path))["status"] in ("Pending", "Running"):
            time.sleep(0.02)
        if detail["status"] != "Finished":
            raise SystemExit(detail["log"])
        return detail["metrics"]

    def applies(self, application):
        """Waits until the application has its first grant."""
        while not self.request(f"/api/applications/{application['id']}/grants")["totalCount"]:
            time.sleep(0.1)

    def p99_ms(self, load, seconds):
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
