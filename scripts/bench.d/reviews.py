"""Reviews a small and a large feed each round; prints medians and ratios."""

import json
import http.client
import random
import statistics
import subprocess
import sys
import threading
import time
from datetime import datetime

from server import Bench, Server, timed

work, rounds, rows, muniment, postgres_bin, bulk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:7]
bench = Bench(work, muniment, postgres_bin)
AWF = "/api/preview/awf"
HALF, OTHER_HALF = 'source.id lt "8"', 'source.id ge "8"'  # ids of accounts are hashes


class Reviews:
    """A server with a feed."""

    def __init__(self, database, folder):
        bench.psql("postgres", f"CREATE DATABASE {database}")
        self.server = Server(bench, database)
        for place in (f"{work}/{folder}", f"{work}/{folder}/core-banking"):
            with open(f"{place}/application.json") as body:
                application = self.server.request("/api/applications", json.load(body))
            self.server.import_files(application, place)
        bench.psql(database, "VACUUM ANALYZE", "CHECKPOINT")
        body = {"name": "Quarterly", "application_ids": [application["id"]]}
        self.workflow = self.server.request(f"{AWF}/workflows", body)["workflow_id"]
        body = {"name": "Half", "attachment_behavior": {"attach_to_new_workflows": True, "opt_in": True},
                "criteria": {"filter": HALF}, "action": {"decision": "ACCEPTED", "notes": "Half of all"}}
        self.automation = self.server.request(f"{AWF}/automations", body)["id"]

    def certify(self, automations):
        """Makes a certification; its id, its rows and how long they took."""
        started = time.monotonic()
        body = {"workflow_id": self.workflow, "automation_ids": automations}
        made = self.server.request(f"{AWF}/certifications", body)["certification_id"]
        while (shown := self.server.request(f"{AWF}/certifications/{made}")["value"])["state"] == "CERT_STATE_SEARCHING":
            time.sleep(0.01)
        return made, shown["total_result_count"], time.monotonic() - started

    def ran(self, certification):
        """The last run of a certification when it is done: rows changed, and how long it took."""
        path = f"{AWF}/certifications/{certification}/automation_runs"
        while (run := self.server.request(path)["values"][-1])["status"] == "RUNNING":
            time.sleep(0.05)
        if run["status"] != "COMPLETED":
            raise SystemExit(run["message"])
        took = datetime.fromisoformat(run["completed_at"]) - datetime.fromisoformat(run["started_at"])
        return run["automations"][0]["changed"], took.total_seconds()

    def page_ms(self, query):
        path = f"{AWF}/certifications/{query}"
        self.server.request(path)
        return statistics.median(timed(lambda: self.server.request(path)) for _ in range(20)) * 1000

    def decide_by_filter(self, certification, filter):
        body = {"filter": filter, "decision": "ACCEPTED", "notes": "By filter"}
        self.server.request(f"{AWF}/certifications/{certification}/results:decide", body)

    def decisions(self, certification, count, until, times):
        """Decides about rows at random, one after the other, until told; notes how long each took."""
        connection = http.client.HTTPConnection(self.server.address.removeprefix("http://"))
        headers = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json"}
        while not until.is_set():
            value = {"result_id": random.randrange(count), "decision": random.choice(["ACCEPTED", "NONE"]), "notes": str(random.random())}
            started = time.monotonic()
            connection.request("PUT", f"{AWF}/certifications/{certification}/results", json.dumps({"value": value}), headers)
            answer = connection.getresponse()
            answer.read()
            times.append(time.monotonic() - started)
            if answer.status != 200:
                raise SystemExit(f"a decision was answered {answer.status}")

    def p99_ms(self, certification, count, during):
        """Of single decisions by four people while something else goes on."""
        until, times = threading.Event(), []
        people = [threading.Thread(target=self.decisions, args=(certification, count, until, times)) for _ in range(4)]
        for person in people:
            person.start()
        during()
        until.set()
        for person in people:
            person.join()
        return statistics.quantiles(times, n=100)[98] * 1000

    def verify(self):
        subprocess.run([muniment, "projections", "verify", "--database-url", self.server.url], check=True, stdout=subprocess.DEVNULL)


names = ("bulk", "create", "automation", "gone over", "decide", "create small", "automation small", "first page", "last page", "alone", "beside")
results = {name: [] for name in names}
for round in range(rounds):
    small = Reviews(f"s{round}", "small")
    made, count, took = small.certify([])
    results["create small"].append(count / took)
    made, count, took = small.certify([small.automation])
    changed, took = small.ran(made)
    results["automation small"].append(changed / took)
    small.verify()
    small.server.stop()
    large = Reviews(f"l{round}", "large")
    rate = subprocess.run([bulk, "--database-url", large.server.url], check=True, capture_output=True, text=True).stdout
    results["bulk"].append(float(rate))
    first, count, took = large.certify([])
    results["create"].append(count / took)
    print(f"round {round + 1}  {count} rows recorded in {took:.1f} s", file=sys.stderr)
    second, count, _ = large.certify([large.automation])
    changed, took = large.ran(second)
    results["automation"].append(changed / took)
    results["gone over"].append(count / took)
    print(f"round {round + 1}  {changed} rows automated in {took:.1f} s", file=sys.stderr)
    large.decide_by_filter(first, HALF)
    changed, took = large.ran(first)
    results["decide"].append(changed / took)
    print(f"round {round + 1}  {changed} rows decided by filter in {took:.1f} s", file=sys.stderr)
    results["first page"].append(large.page_ms(f"{first}/results?page_size=100"))
    results["last page"].append(large.page_ms(f"{first}/results?page_size=100&paginate_direction_backwards=true"))
    results["alone"].append(large.p99_ms(second, count, lambda: time.sleep(3)))

    def other_half():
        large.decide_by_filter(first, OTHER_HALF)
        large.ran(first)

    results["beside"].append(large.p99_ms(second, count, other_half))
    print(f"round {round + 1}  verifying", file=sys.stderr)
    large.verify()
    print(f"round {round + 1}  the server's memory at most {large.server.memory():.0f} MB", file=sys.stderr)
    large.server.stop()
    bench.psql("postgres", f"DROP DATABASE s{round}", f"DROP DATABASE l{round}")

median = {name: statistics.median(values) for name, values in results.items()}
print(f"\n{count} rows, medians of {rounds} rounds; the journal's own bulk rate {median['bulk']:.0f} events/s")
for name, words in (("create", "rows recorded"), ("gone over", "rows automated"), ("automation", "rows changed"), ("decide", "rows changed")):
    each = " ".join(f"{value:.0f}" for value in results[name])
    demanded = "" if name == "gone over" else " (demanded 0.5×; aim 50000/s)"
    print(f"  {name:11}{median[name]:8.0f} {words}/s  {median[name] / median['bulk']:.2f}× bulk{demanded}   {each}")
for name in ("create", "automation"):
    ratio = median[name] / median[f"{name} small"]
    print(f"  {name:11}{ratio:8.2f}× the rate of 10,000 rows, {median[f'{name} small']:.0f}/s (demanded 0.8×)")
ratio = median["last page"] / median["first page"]
print(f"  first page {median['first page']:.1f} ms, last page {median['last page']:.1f} ms: {ratio:.1f}× (demanded at most 3×)")
print(f"  p99 of single decisions: alone {median['alone']:.1f} ms, beside a run {median['beside']:.1f} ms")
print("  projections verify found no difference")
