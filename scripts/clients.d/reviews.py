"""Veza's client, oaaclient, against the reviews API of a server of ours; it has no calls for it but the general ones.

It reads VEZA_URL and VEZA_API_KEY, an administrator's API token.
"""

import os
import uuid
from importlib.metadata import version

import requests
from checking import contains, equal, eventually, run
from oaaclient.client import OAAClient, OAAResponseError

AWF = "/api/preview/awf"
FEED = {
    "People": ("identities", {"key": "number", "firstName": "first", "lastName": "last", "email": "mail", "employeeId": "number"},
               "number,first,last,mail\n1,Ana,Martinez,ana@bank.test\n2,Ben,Okafor,ben@bank.test\n"),
    "Accounts": ("accounts", {"key": "login", "employeeId": "number", "isActive": "active"},
                 "login,number,active\namartinez,1,yes\nbokafor,2,no\n"),
    "Grants": ("grants", {"account": "login", "entitlement": "right"},
               "login,right\namartinez,approve\namartinez,post\nbokafor,approve\nbokafor,enter\nbokafor,post\n"),
}


def refused(status, code, call, *arguments):
    """The details of an error."""
    try:
        answer = call(*arguments)
    except OAAResponseError as error:
        equal((error.status_code, error.error), (status, code))
        assert len(error.request_id) == 32 and error.timestamp and error.details, vars(error)
        return error.details
    raise AssertionError(f"{status} was due, but the answer was {answer!r}")


class Checks:
    """Each method is a check, in this order; its first line says what of."""

    def connect(self):
        """an API token connects"""
        self.client = OAAClient()
        equal(self.client.api_get("/api/v1/providers/custom/templates"), [])

    def wrong_key(self):
        """a wrong API key is refused"""
        refused(401, "Unauthenticated", OAAClient, os.environ["VEZA_URL"], "mun_wrong")

    def automations(self):
        """an automation is created, listed, read, updated and deleted"""
        body = {
            "name": "Inactive accounts", "description": "Nobody needs them",
            "attachment_behavior": {"attach_to_new_workflows": False, "opt_in": False},
            "criteria": {"filter": "source.is_active eq false", "mutable_filter": ""},
            "action": {"decision": 3, "notes": "Inactive", "signed_off_state": 2}, "priority": 0,
        }
        created = self.client.api_post(f"{AWF}/automations", body)
        equal(list(created), ["id"])
        self.automation = created["id"]
        shown = body | {"id": self.automation, "action": {"decision": "REJECTED", "notes": "Inactive", "signed_off_state": "SIGNED_OFF"}}
        contains(self.client.api_get(f"{AWF}/automations/{self.automation}"), shown)
        listed = {one["name"]: one for one in self.client.api_get(f"{AWF}/automations")}
        assert {"Approve previously approved and unchanged", "Reject previously rejected and unchanged"} <= set(listed), listed
        contains(listed["Inactive accounts"], shown)
        changed = shown | {"name": "Asleep", "description": ""}
        equal(self.client.api_put(f"{AWF}/automations", {"value": changed}), {})
        contains(self.client.api_get(f"{AWF}/automations/{self.automation}"), changed)
        other = self.client.api_post(f"{AWF}/automations", body)["id"]
        equal(self.client.api_delete(f"{AWF}/automations/{other}"), {})
        details = refused(404, "NotFound", self.client.api_get, f"{AWF}/automations/{other}")
        assert any(one.get("resource") == other for one in details), details

    def wrong_automations(self):
        """an automation with faults is refused, field by field"""
        body = {"name": "", "criteria": {"filter": "source.nothing eq 1"}, "action": {}}
        [violations] = [one["field_violations"] for one in refused(400, "InvalidArgument", self.client.api_post, f"{AWF}/automations", body)
                        if "field_violations" in one]
        assert violations and all(one["field"] and one["description"] for one in violations), violations

    def workflows(self):
        """a workflow is created and listed; an automation is attached to it, twice, and detached"""
        self.application = self.with_access()
        body = {"name": f"Quarterly {uuid.uuid4().hex[:8]}", "application_ids": [self.application], "allow_self_review": True}
        self.workflow = self.client.api_post(f"{AWF}/workflows", body)["workflow_id"]
        [listed] = [one for one in self.client.api_get(f"{AWF}/workflows") if one["workflow_id"] == self.workflow]
        equal(listed["name"], body["name"])

        def attached():
            values = self.client.api_get(f"{AWF}/automations:attached/{self.workflow}")
            return [one["opt_in"] for one in values if one["automation"]["id"] == self.automation]

        place = {"id": self.automation, "workflow_id": self.workflow, "all": False}
        for opt_in in (True, False):
            equal(self.client.api_post(f"{AWF}/automations:attach", place | {"opt_in": opt_in}), {})
            equal(attached(), [opt_in])
        equal(self.client.api_post(f"{AWF}/automations:detach", place), {})
        equal(attached(), [])
        equal(self.client.api_post(f"{AWF}/automations:attach", place | {"opt_in": False}), {})

    def with_access(self):
        """An application with two people's access."""
        groups = [{"id": str(uuid.uuid4()), "name": name, "content": content, "columns": columns} for name, (content, columns, _) in FEED.items()]
        body = {"name": f"Bank {uuid.uuid4().hex[:8]}", "isIdentitySource": True, "connector": {"type": "file", "fileGroups": groups}}
        application = self.client.api_post("/api/applications", body)["id"]
        files = {group["id"]: (f"{group['name']}.csv", FEED[group["name"]][2]) for group in groups}
        headers = {"Authorization": f"Bearer {self.client.api_key}"}
        url = f"{self.client.url}/api/application-imports/upload"
        started = requests.post(url, data={"applicationId": application}, files=files, headers=headers, timeout=30)
        assert started.status_code == 201, started.text

        def ended():
            shown = self.client.api_get(f"/api/application-imports/{started.json()['id']}")
            return shown if shown["status"] in ("Finished", "Failed", "Canceled") else None

        imported = eventually("the import ends", ended)
        equal((imported["status"], imported["metrics"]["grants"]["added"]), ("Finished", 5))
        return application

    def certification(self):
        """a certification runs its automations, and its pages are followed to the end"""
        made = self.client.api_post(f"{AWF}/certifications", {"workflow_id": self.workflow, "name": "First", "automation_ids": []})
        self.review = f"{AWF}/certifications/{made['certification_id']}"

        def ready():
            runs = self.client.api_get(f"{self.review}/automation_runs")
            is_quiet = runs and all(one["status"] != "RUNNING" for one in runs)
            shown = self.client.api_get(self.review)
            return shown if is_quiet and shown["state"] == "CERT_STATE_IN_PROGRESS" else None

        shown = eventually("the certification is in progress", ready)
        equal((shown["name"], shown["total_result_count"]), ("First", 5))
        equal([one["certification_id"] for one in self.client.api_get(f"{AWF}/certifications", {"workflow_id": self.workflow})],
              [made["certification_id"]])
        equal(self.decisions(), {
            "amartinez approve": "NONE", "amartinez post": "NONE",
            "bokafor approve": "REJECTED", "bokafor enter": "REJECTED", "bokafor post": "REJECTED",
        })
        equal(self.rows["bokafor enter"]["signed_off_state"], "SIGNED_OFF")
        notes = [entry["note"] for entry in self.rows["bokafor enter"]["action_log"]["entries"]]
        assert any("Inactive" in note for note in notes), notes

    def decisions(self):
        """Reads all rows, two at a time."""
        found = self.client.api_get(f"{self.review}/results", {"page_size": 2})
        equal(len({row["result_id"] for row in found}), len(found))
        self.rows = {f"{row['source']['name']} {row['destination']['name']}": row for row in found}
        return {name: row["decision"].removeprefix("RESULT_DECISION_") for name, row in sorted(self.rows.items())}

    def decide(self):
        """rows are decided about, also against sign-off, and one by one read"""
        row = self.rows["amartinez post"]["result_id"]
        equal(self.client.api_put(f"{self.review}/results", {"value": {"result_id": row, "decision": "ACCEPTED", "notes": "Needed"}}), {})
        shown = self.client.api_get(f"{self.review}/results/{row}")
        equal((shown["decision"], shown["notes"]), ("RESULT_DECISION_ACCEPTED", "Needed"))
        signed = self.rows["bokafor post"]["result_id"]
        value = {"result_id": signed, "decision": "ACCEPTED"}
        refused(409, "Aborted", self.client.api_put, f"{self.review}/results", {"value": value})
        value |= {"signed_off_state": "NOT_SIGNED_OFF"}
        equal(self.client.api_post(f"{self.review}/results:force_update", {"value": value}), {})
        equal([self.decisions()[name] for name in ("amartinez post", "bokafor post")], ["ACCEPTED", "ACCEPTED"])
        details = refused(404, "NotFound", self.client.api_get, f"{self.review}/results/{len(self.rows)}")
        assert any("resource_type" in one for one in details), details

    def complete(self):
        """a completed certification can't be decided in"""
        equal(self.client.api_post(f"{self.review}:complete", {}), {})
        equal(self.client.api_get(self.review)["state"], "CERT_STATE_COMPLETED")
        value = {"result_id": self.rows["amartinez approve"]["result_id"], "decision": "ACCEPTED"}
        refused(409, "Aborted", self.client.api_put, f"{self.review}/results", {"value": value})


checks = Checks()
names = ["connect", "wrong_key", "automations", "wrong_automations", "workflows", "certification", "decide", "complete"]
run(f"oaaclient {version('oaaclient')}", [(getattr(checks, name).__doc__, getattr(checks, name)) for name in names])
