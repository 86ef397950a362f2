"""SailPoint's Python client against a server of ours: the checks of checks.txt.

Its argument is the package of `sailpoint`: beta, v2024, v2025 (1.4.2), sp_config (2.1.72). The client itself reads SAIL_BASE_URL,
SAIL_CLIENT_ID and SAIL_CLIENT_SECRET; AUDITOR and READER are `id secret` of clients with these roles, TOKEN is an API token.
"""

import base64
import contextlib
import copy
import importlib
import io
import json
import os
import re
import sys
import time
import uuid
import warnings
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from checking import contains, equal, eventually, run
from sailpoint.configuration import Configuration, ConfigurationParams

PACKAGE = sys.argv[1]
HERE = Path(__file__).parent
FIXTURES = json.loads((HERE / "fixtures.json").read_text())
SAMPLE = json.loads((HERE / "sample.json").read_text())
TYPES = {"CONNECTOR_RULE", "IDENTITY_OBJECT_CONFIG", "IDENTITY_PROFILE", "RULE", "SOURCE", "TRANSFORM", "TRIGGER_SUBSCRIPTION"}
JOB_FIELDS = ("job_id", "status", "type", "expiration", "created", "modified")

sdk = importlib.import_module(f"sailpoint.{PACKAGE}")
exceptions = importlib.import_module(f"sailpoint.{PACKAGE}.exceptions")
# The client only warns of a word that its specification doesn't have.
warnings.filterwarnings("error", message=".*must be one of")


def params(**credentials):
    """What a configuration is made of when its environment isn't to be asked."""
    given = ConfigurationParams()
    given.base_url = os.environ["SAIL_BASE_URL"]
    for name, value in credentials.items():
        setattr(given, name, value)
    return given


class Api:
    """The seven operations, whatever their names end with."""

    end = "_v1" if PACKAGE == "sp_config" else ""
    import_path = "/sp-config/v1/import" if PACKAGE == "sp_config" else "/sp-config/import"

    def __init__(self, **credentials):
        self.configuration = Configuration(params(**credentials) if credentials else None)
        self.client = sdk.ApiClient(self.configuration)
        self.operations = sdk.SPConfigApi(self.client)

    def __getattr__(self, name):
        return getattr(self.operations, name + self.end)

    @classmethod
    def of(cls, role):
        client_id, secret = os.environ[role].split()
        return cls(client_id=client_id, client_secret=secret)

    def send_import(self, parts, files=None):
        """An import as the client sends it, of parts that its operation wouldn't take."""
        headers = {"Accept": "application/json", "Content-Type": "multipart/form-data"}
        request = self.client.param_serialize(
            "POST", self.import_path, header_params=headers, post_params=parts, files=files, auth_settings=["userAuth"]
        )
        answer = self.client.call_api(*request)
        answer.read()
        return self.client.response_deserialize(answer, {"202": "SpConfigJob", "400": "ErrorResponseDto"}).data

    def export(self, **payload):
        """An export from its start to its end; its job and its results."""
        started = self.export_sp_config(sdk.ExportPayload(**payload))
        assert isinstance(started, sdk.SpConfigExportJob), started
        check_started(started, "EXPORT")
        equal(started.description, payload.get("description"))
        return self.exported(started.job_id)

    def exported(self, job_id):
        job = ended(self.get_sp_config_export_status, job_id)
        assert isinstance(job, sdk.SpConfigExportJobStatus), job
        check_ended(job, "EXPORT")
        equal(job.status, "COMPLETE")
        results = self.get_sp_config_export(job_id)
        assert isinstance(results, sdk.SpConfigExportResults), results
        equal(results.version, 1)
        assert results.tenant and results.timestamp >= job.created and results.options is not None, results
        for one in results.objects:
            assert one.version >= 1 and one.var_self.type in TYPES and one.var_self.id and one.var_self.name, one
        return job, results

    def run_import(self, file, preview=None, options=None):
        """An import from its start to its end; its job and its results."""
        content = file if isinstance(file, (str, tuple, bytes)) else json.dumps(file).encode()
        return self.imported(self.import_sp_config(content, preview, options and sdk.ImportOptions(**options)))

    def imported(self, started):
        assert isinstance(started, sdk.SpConfigJob), started
        check_started(started, "IMPORT")
        job = ended(self.get_sp_config_import_status, started.job_id)
        assert isinstance(job, sdk.SpConfigImportJobStatus), job
        check_ended(job, "IMPORT")
        results = self.get_sp_config_import(started.job_id)
        assert isinstance(results, sdk.SpConfigImportResults), results
        return job, results


def check_started(job, kind):
    equal((job.status, job.type), ("NOT_STARTED", kind))
    equal(str(uuid.UUID(job.job_id)), job.job_id)
    assert job.created <= job.modified and abs(job.expiration - job.created - timedelta(days=7)) < timedelta(minutes=1), job


def ended(status, job_id):
    def ask():
        job = status(job_id)
        return None if job.status in ("NOT_STARTED", "IN_PROGRESS") else job

    return eventually(f"job {job_id} ends", ask)


def check_ended(job, kind):
    equal(job.type, kind)
    assert all(getattr(job, field) is not None for field in JOB_FIELDS), job
    assert job.created <= job.completed <= job.modified, job


def check_complete(job):
    equal((job.status, job.message), ("COMPLETE", "Download import results for details."))


def references(result):
    return [(one.type, one.id, one.name) for one in result.imported_objects]


def reference(item):
    return tuple(item["self"][key] for key in ("type", "id", "name"))


def objects(results):
    return {one.var_self.id: one for one in results.objects}


def new(kind):
    """An object of its own, of the kinds that fixtures.json has."""
    made = copy.deepcopy(FIXTURES[kind])
    names = {"id": str(uuid.uuid4()), "name": f"{kind} of {PACKAGE} {uuid.uuid4().hex[:8]}"}
    made["self"] |= names
    made["object"] |= names
    return made


def file_of(*items):
    empty = {"excludeTypes": None, "includeTypes": None, "objectOptions": None}
    return {"version": 1, "timestamp": "2026-01-02T03:04:05.678901234Z", "tenant": "elsewhere", "options": empty, "objects": list(items)}


def by_id(item):
    return {item["self"]["type"]: sdk.ObjectExportImportOptions(included_ids=[item["self"]["id"]])}


def refused(status, call, *arguments):
    """The error of a call."""
    try:
        answer = call(*arguments)
    except exceptions.ApiException as error:
        equal(error.status, status)
        return error
    raise AssertionError(f"{status} was due, but the answer was {answer!r}")


def refused_dto(status, code, call, *arguments):
    """The same in SailPoint's shape; the sentences of its messages."""
    error = refused(status, call, *arguments).data
    assert isinstance(error, sdk.ErrorResponseDto), error
    assert error.detail_code.startswith(code), error
    assert re.fullmatch("[0-9a-f]{32}", error.tracking_id) and error.messages, error
    assert all(message.text for message in error.messages), error
    return " ".join(message.text for message in error.messages + (error.causes or []))


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


class Checks:
    def token(self):
        self.api = Api()
        head, payload, signature = self.api.configuration.access_token.split(".")
        assert decoded(head)["alg"].lower() != "none" and signature
        assert decoded(payload)["exp"] > time.time(), decoded(payload)

    def bad_secret(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            configuration = Configuration(params(client_id=os.environ["SAIL_CLIENT_ID"], client_secret="wrong"))
        equal(configuration.access_token, None)
        assert "Unauthorized when retrieving access token" in said.getvalue(), said.getvalue()

    def bad_token(self):
        head, payload, signature = self.api.configuration.access_token.split(".")
        forged = ("A" if signature[0] != "A" else "B") + signature[1:]
        later = encoded(decoded(payload) | {"exp": decoded(payload)["exp"] + 3600})
        unsigned = encoded(decoded(head) | {"alg": "none"})
        for token in ("nonsense", f"{head}.{payload}.{forged}", f"{head}.{later}.{signature}", f"{unsigned}.{payload}."):
            # Its specification has an object for this string, so 1.4.2 leaves it undecoded.
            error = json.loads(refused(401, Api(access_token=token).list_sp_config_objects).body)
            assert isinstance(error["error"], str) and error["error"], error

    def api_token(self):
        assert Api(access_token=os.environ["TOKEN"]).list_sp_config_objects()

    def config_objects(self):
        listed = self.api.list_sp_config_objects()
        assert all(isinstance(one, sdk.SpConfigObject) and isinstance(one.rules, sdk.SpConfigRules) for one in listed), listed
        types = [one.object_type for one in listed]
        assert TYPES <= set(types) and len(types) == len(set(types)), types
        for one in listed:
            flags = (one.signature_required, one.always_resolve_by_id, one.legacy_object, one.one_per_tenant, one.exportable)
            assert all(isinstance(flag, bool) for flag in flags), one
            assert all(path.startswith("$") for path in one.reference_extractors or []), one
            assert one.exportable or one.object_type not in TYPES, one

    def import_sample(self):
        path = str(HERE / "sample.json")
        started = self.api.send_import([("options", FIXTURES["options"])], {"data": path})
        for job, results in (self.api.imported(started), self.api.run_import(path)):
            check_complete(job)
            equal(list(results.results), ["TRIGGER_SUBSCRIPTION"])
            result = results.results["TRIGGER_SUBSCRIPTION"]
            equal((references(result), result.errors), ([reference(SAMPLE["objects"][0])], []))
            assert results.export_job_id, results

    def preview(self):
        made = new("transform")
        job, results = self.api.run_import(file_of(made), preview=True)
        check_complete(job)
        result = results.results["TRANSFORM"]
        told = [message.text for message in result.infos if message.key == "IMPORT_PREVIEW"]
        assert len(told) == 1 and made["self"]["id"] in told[0] and made["self"]["name"] in told[0], result
        equal((result.imported_objects, result.errors, results.export_job_id), ([], [], None))
        equal(self.api.export(include_types=["TRANSFORM"], object_options=by_id(made))[1].objects, [])

    def import_plain(self):
        self.transform, self.trigger = new("transform"), new("trigger")
        content = json.dumps(file_of(self.transform, self.trigger)).encode()
        job, results = self.api.run_import(("config.json", content), preview=False)
        check_complete(job)
        equal({kind: references(result) for kind, result in results.results.items()},
              {item["self"]["type"]: [reference(item)] for item in (self.transform, self.trigger)})
        equal([result.errors for result in results.results.values()], [[], []])
        self.import_job, self.backup_job = job.job_id, results.export_job_id
        assert self.backup_job, results

    def backup(self):
        found = objects(self.api.exported(self.backup_job)[1])
        contains(found[SAMPLE["objects"][0]["self"]["id"]].object, SAMPLE["objects"][0]["object"])
        equal({self.transform["self"]["id"], self.trigger["self"]["id"]} & set(found), set())

    def import_options(self):
        taken, left, other = new("transform"), new("transform"), new("trigger")
        options = {"include_types": ["TRANSFORM"], "exclude_types": ["TRANSFORM"], "object_options": by_id(taken), "exclude_backup": True}
        job, results = self.api.run_import(file_of(left, other, taken), options=options)
        check_complete(job)
        equal({kind: references(result) for kind, result in results.results.items()}, {"TRANSFORM": [reference(taken)]})
        equal(results.export_job_id, None)
        found = objects(self.api.export()[1])
        equal([item["self"]["id"] in found for item in (taken, left, other)], [True, False, False])

    def export(self):
        named = sdk.ObjectExportImportOptions(included_ids=[], included_names=[self.trigger["self"]["name"]])
        job, results = self.api.export(
            description="Nightly", include_types=["TRANSFORM", "TRIGGER_SUBSCRIPTION"],
            object_options=by_id(self.transform) | {"TRIGGER_SUBSCRIPTION": named},
        )
        equal((job.description, results.description), ("Nightly", "Nightly"))
        equal(results.options.include_types, ["TRANSFORM", "TRIGGER_SUBSCRIPTION"])
        found = objects(results)
        equal(set(found), {self.transform["self"]["id"], self.trigger["self"]["id"]})
        for item in (self.transform, self.trigger):
            one = found[item["self"]["id"]]
            equal((one.var_self.type, one.var_self.id, one.var_self.name), reference(item))
            contains(one.object, item["object"])

    def export_all(self):
        ids = {item["self"]["id"] for item in (self.transform, self.trigger)}
        everything = objects(self.api.export(include_types=[], exclude_types=[], object_options={})[1])
        assert ids <= set(everything), everything
        some = self.api.export(exclude_types=["WORKFLOW", "TRANSFORM"])[1].objects
        types = {one.var_self.type for one in some}
        assert "TRIGGER_SUBSCRIPTION" in types and "TRANSFORM" not in types, types

    def round_trip(self):
        only = {"include_types": ["TRANSFORM"], "object_options": by_id(self.transform)}
        job, before = self.api.export(**only)
        download = getattr(self.api.operations, f"get_sp_config_export{Api.end}_with_http_info")
        job, results = self.api.run_import(bytes(download(job.job_id).raw_data))
        check_complete(job)
        equal(references(results.results["TRANSFORM"]), [reference(self.transform)])
        equal(self.api.export(**only)[1].objects, before.objects)

    def partly_failed(self):
        source, transform = new("source"), new("transform")
        job, results = self.api.run_import(file_of(source, transform))
        equal((job.status, job.message), ("FAILED", "Import halted because of errors. Download results for error details."))
        failed = results.results["SOURCE"]
        equal((references(failed), len(failed.errors)), ([], 1))
        assert failed.errors[0].key and source["self"]["name"] in failed.errors[0].text, failed
        equal(references(results.results["TRANSFORM"]), [reference(transform)])
        assert results.export_job_id, results

    def unknown_type(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            payload = sdk.ExportPayload(include_types=["TRANSFORM", "WORKFLOWS"])
            options = sdk.ImportOptions(include_types=["WORKFLOWS"])
            content = json.dumps(file_of(new("transform"))).encode()
            for call, arguments in ((self.api.export_sp_config, [payload]), (self.api.import_sp_config, [content, None, options])):
                said = refused_dto(400, "400.1.3", call, *arguments)
                assert "WORKFLOWS" in said and "TRIGGER_SUBSCRIPTION" in said, said

    def no_job(self):
        exports = self.api.get_sp_config_export_status, self.api.get_sp_config_export
        imports = self.api.get_sp_config_import_status, self.api.get_sp_config_import
        nowhere = str(uuid.uuid4())
        for calls, ids in ((exports, (nowhere, self.import_job)), (imports, (nowhere, self.backup_job))):
            for call in calls:
                for job_id in ids:
                    refused_dto(404, "404", call, job_id)

    def no_file(self):
        said = refused_dto(400, "400.1.3", self.api.send_import, [("options", {"excludeBackup": True})])
        assert "No files were supplied for import." in said, said

    def broken_file(self):
        for content in (b"", b"\x00\xff", b'{"version": 1, "objects": [', b'{"version": 1}', b"[]"):
            refused_dto(400, "400", self.api.import_sp_config, content)

    def broken_options(self):
        refused_dto(400, "400", self.api.send_import, [("options", "{")], {"data": json.dumps(file_of(new("transform"))).encode()})

    def roles(self):
        content = json.dumps(file_of(new("transform"))).encode()
        auditor, reader = Api.of("AUDITOR"), Api.of("READER")
        assert auditor.list_sp_config_objects()
        auditor.export(include_types=["TRANSFORM"])
        refused_dto(403, "403", auditor.import_sp_config, content)
        refused_dto(403, "403", auditor.get_sp_config_import_status, self.import_job)
        refused_dto(403, "403", auditor.get_sp_config_import, self.import_job)
        refused_dto(403, "403", reader.list_sp_config_objects)
        refused_dto(403, "403", reader.export_sp_config, sdk.ExportPayload())


checks = Checks()
lines = [line.split(maxsplit=1) for line in (HERE / "checks.txt").read_text().splitlines()]
run(f"sailpoint {version('sailpoint')} {PACKAGE}", [(sentence, getattr(checks, name)) for name, sentence in lines])
