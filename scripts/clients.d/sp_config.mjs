// SailPoint's TypeScript client against a server of ours: the checks of checks.txt.
//
// Its argument is the version of the API: Beta or V2024. It runs in the folder where `sailpoint-api-client` is installed. The client
// itself reads SAIL_BASE_URL, SAIL_CLIENT_ID and SAIL_CLIENT_SECRET; AUDITOR and READER are `id secret` of clients with these roles,
// TOKEN is an API token.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";

const require = createRequire(`${process.cwd()}/`);
const sdk = require("sailpoint-api-client");
const { version } = require("sailpoint-api-client/package.json");

const api = process.argv[2];
const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const fixtures = JSON.parse(read("fixtures.json"));
const sample = JSON.parse(read("sample.json"));
const types = ["CONNECTOR_RULE", "IDENTITY_OBJECT_CONFIG", "IDENTITY_PROFILE", "RULE", "SOURCE", "TRANSFORM", "TRIGGER_SUBSCRIPTION"];
const seven_days = 7 * 24 * 3600 * 1000;
const blob = (content) => new Blob([typeof content === "string" ? content : JSON.stringify(content)], { type: "application/json" });

/** The operations, by the names they have in every version; what they answer is the body. */
class Api {
  constructor(given = {}) {
    const tokenUrl = `${process.env.SAIL_BASE_URL}/oauth/token`;
    const all = Object.keys(given).length ? { baseurl: process.env.SAIL_BASE_URL, tokenUrl, ...given } : undefined;
    this.configuration = new sdk.Configuration(all);
    this.operations = new sdk[`SPConfig${api}Api`](this.configuration);
  }

  static of(role) {
    const [clientId, clientSecret] = process.env[role].split(" ");
    return new Api({ clientId, clientSecret });
  }

  async call(status, operation, parameters) {
    const answer = await this.operations[operation](parameters);
    assert.equal(answer.status, status);
    assert.match(answer.headers["content-type"], /^application\/json/);
    return answer.data;
  }

  listed = () => this.call(200, "listSpConfigObjects");
  startExport = (payload) => this.call(202, "exportSpConfig", { [`exportPayload${api}`]: payload });
  exportStatus = (id) => this.call(200, "getSpConfigExportStatus", { id });
  exportResults = (id) => this.call(200, "getSpConfigExport", { id });
  startImport = (content, preview, _options) => this.call(202, "importSpConfig", { data: blob(content), preview, _options });
  importStatus = (id) => this.call(200, "getSpConfigImportStatus", { id });
  importResults = (id) => this.call(200, "getSpConfigImport", { id });

  /** An export from its start to its end; its job and its results. */
  async export(payload) {
    const started = await this.startExport(payload);
    checkStarted(started, "EXPORT");
    assert.equal(started.description ?? undefined, payload.description);
    return this.exported(started.jobId);
  }

  async exported(id) {
    const job = await ended(this.exportStatus, id, "EXPORT");
    assert.equal(job.status, "COMPLETE");
    const results = await this.exportResults(id);
    assert.equal(results.version, 1);
    assert.ok(results.tenant && time(results.timestamp) >= time(job.created) && results.options, JSON.stringify(results));
    for (const { version, self, object } of results.objects) {
      assert.ok(Number.isInteger(version) && types.includes(self.type) && self.id && self.name && object, JSON.stringify(self));
    }
    return [job, results];
  }

  /** An import from its start to its end; its job and its results. */
  async import(content, preview, options) {
    const started = await this.startImport(content, preview, options);
    checkStarted(started, "IMPORT");
    const job = await ended(this.importStatus, started.jobId, "IMPORT");
    const results = await this.importResults(started.jobId);
    for (const result of Object.values(results.results)) {
      for (const message of [...result.infos, ...result.warnings, ...result.errors]) {
        assert.deepEqual([typeof message.key, typeof message.text, typeof message.details], ["string", "string", "object"]);
        assert.ok(message.details, JSON.stringify(message));
      }
      assert.ok(Array.isArray(result.importedObjects), JSON.stringify(result));
    }
    return [job, results];
  }
}

const time = (text) => {
  assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  return Date.parse(text);
};

function checkJob(job, type) {
  assert.equal(job.type, type);
  assert.match(job.jobId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.ok(time(job.created) <= time(job.modified));
  assert.ok(Math.abs(time(job.expiration) - time(job.created) - seven_days) < 60_000, JSON.stringify(job));
}

function checkStarted(job, type) {
  checkJob(job, type);
  assert.equal(job.status, "NOT_STARTED");
}

async function ended(status, id, type) {
  for (let i = 0; i < 150; i++) {
    const job = await status(id);
    if (!["NOT_STARTED", "IN_PROGRESS"].includes(job.status)) {
      checkJob(job, type);
      assert.ok(time(job.created) <= time(job.completed) && time(job.completed) <= time(job.modified), JSON.stringify(job));
      return job;
    }
    await pause(200);
  }
  assert.fail(`job ${id} never ends`);
}

const checkComplete = (job) => assert.deepEqual([job.status, job.message], ["COMPLETE", "Download import results for details."]);
const imported = (results) => Object.fromEntries(Object.entries(results.results).map(([type, one]) => [type, one.importedObjects]));
const errors = (results) => Object.values(results.results).flatMap((one) => one.errors);
const ids = (results) => new Set(results.objects.map((one) => one.self.id));
const only = (item) => ({ [item.self.type]: { includedIds: [item.self.id], includedNames: [] } });

/** An object of its own, of the kinds that fixtures.json has. */
function fresh(kind) {
  const made = structuredClone(fixtures[kind]);
  const names = { id: randomUUID(), name: `${kind} of npm ${api} ${randomUUID().slice(0, 8)}` };
  Object.assign(made.self, names);
  Object.assign(made.object, names);
  return made;
}

const fileOf = (...objects) => ({
  version: 1,
  timestamp: "2026-01-02T03:04:05.678901234Z",
  tenant: "elsewhere",
  options: { excludeTypes: null, includeTypes: null, objectOptions: null },
  objects,
});

/** What `part` has is in `whole`, at any depth of objects. */
function contains(whole, part) {
  if (part === null || typeof part !== "object" || Array.isArray(part)) return assert.deepEqual(whole, part);
  for (const [key, value] of Object.entries(part)) {
    assert.ok(whole && key in whole, `${key} is not in ${JSON.stringify(whole)}`);
    contains(whole[key], value);
  }
}

/** The body of an error. */
async function refused(status, promise) {
  const error = await promise.then((answer) => assert.fail(`${status} was due, not ${JSON.stringify(answer)}`), (error) => error);
  if (!error.response) throw error;
  assert.equal(error.response.status, status, JSON.stringify(error.response.data));
  return error.response.data;
}

/** The same in SailPoint's shape; the sentences of its messages. */
async function refusedDto(status, code, promise) {
  const error = await refused(status, promise);
  assert.ok(error.detailCode.startsWith(code), JSON.stringify(error));
  assert.match(error.trackingId, /^[0-9a-f]{32}$/);
  assert.ok(error.messages.length && error.messages.every((message) => message.text), JSON.stringify(error));
  return [...error.messages, ...error.causes].map((message) => message.text).join(" ");
}

/** A form that leaves out one part, or has another in its place. */
const formWithout = (left, instead) =>
  class extends FormData {
    append(name, ...value) {
      if (name !== left) super.append(name, ...value);
      else if (instead !== undefined) super.append(name, instead);
    }
  };

const part = (text) => JSON.parse(Buffer.from(text, "base64url").toString());
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

let transform, trigger, importJob, backupJob;
const client = new Api();

const checks = {
  async token() {
    const [head, payload, signature] = (await client.configuration.accessToken).split(".");
    assert.ok(part(head).alg.toLowerCase() !== "none" && signature);
    assert.ok(part(payload).exp > Date.now() / 1000);
  },

  async bad_secret() {
    const told = console.error;
    console.error = () => {};
    const configuration = new Api({ clientId: process.env.SAIL_CLIENT_ID, clientSecret: "wrong" }).configuration;
    await assert.rejects(configuration.accessToken, /status code 401/);
    console.error = told;
  },

  async bad_token() {
    const [head, payload, signature] = (await client.configuration.accessToken).split(".");
    const forged = (signature[0] === "A" ? "B" : "A") + signature.slice(1);
    const later = encoded({ ...part(payload), exp: part(payload).exp + 3600 });
    const unsigned = encoded({ ...part(head), alg: "none" });
    for (const accessToken of ["nonsense", `${head}.${payload}.${forged}`, `${head}.${later}.${signature}`, `${unsigned}.${payload}.`]) {
      const body = await refused(401, new Api({ accessToken }).listed());
      assert.ok(typeof body.error === "string" && body.error, JSON.stringify(body));
    }
  },

  async api_token() {
    assert.ok((await new Api({ accessToken: process.env.TOKEN }).listed()).length);
  },

  async config_objects() {
    const listed = await client.listed();
    const names = listed.map((one) => one.objectType);
    assert.ok(types.every((type) => names.includes(type)) && new Set(names).size === names.length, names.join());
    for (const one of listed) {
      const flags = ["signatureRequired", "alwaysResolveById", "legacyObject", "onePerTenant", "exportable"];
      assert.ok(flags.every((flag) => typeof one[flag] === "boolean"), JSON.stringify(one));
      assert.ok((one.referenceExtractors ?? []).every((path) => path.startsWith("$")), JSON.stringify(one));
      assert.ok(Array.isArray(one.rules.takeFromTargetRules) && Array.isArray(one.rules.defaultRules), JSON.stringify(one));
      assert.ok(one.exportable || !types.includes(one.objectType), JSON.stringify(one));
    }
  },

  async import_sample() {
    for (const options of [fixtures.options, undefined]) {
      const [job, results] = await client.import(read("sample.json"), undefined, options);
      checkComplete(job);
      assert.deepEqual(imported(results), { TRIGGER_SUBSCRIPTION: [sample.objects[0].self] });
      assert.deepEqual(errors(results), []);
      assert.ok(results.exportJobId);
    }
  },

  async preview() {
    const made = fresh("transform");
    const [job, results] = await client.import(fileOf(made), true);
    checkComplete(job);
    const told = results.results.TRANSFORM.infos.filter((message) => message.key === "IMPORT_PREVIEW");
    assert.ok(told.length === 1 && told[0].text.includes(made.self.id) && told[0].text.includes(made.self.name), JSON.stringify(results));
    assert.deepEqual([imported(results), errors(results), results.exportJobId ?? null], [{ TRANSFORM: [] }, [], null]);
    assert.deepEqual((await client.export({ includeTypes: ["TRANSFORM"], objectOptions: only(made) }))[1].objects, []);
  },

  async import_plain() {
    [transform, trigger] = [fresh("transform"), fresh("trigger")];
    const [job, results] = await client.import(fileOf(transform, trigger), false);
    checkComplete(job);
    assert.deepEqual(imported(results), { TRANSFORM: [transform.self], TRIGGER_SUBSCRIPTION: [trigger.self] });
    assert.deepEqual(errors(results), []);
    [importJob, backupJob] = [job.jobId, results.exportJobId];
    assert.ok(backupJob);
  },

  async backup() {
    const [, results] = await client.exported(backupJob);
    const before = results.objects.find((one) => one.self.id === sample.objects[0].self.id);
    contains(before.object, sample.objects[0].object);
    assert.ok(!ids(results).has(transform.self.id) && !ids(results).has(trigger.self.id));
  },

  async import_options() {
    const [taken, left, other] = [fresh("transform"), fresh("transform"), fresh("trigger")];
    const options = { includeTypes: ["TRANSFORM"], excludeTypes: ["TRANSFORM"], objectOptions: only(taken), excludeBackup: true };
    const [job, results] = await client.import(fileOf(left, other, taken), undefined, options);
    checkComplete(job);
    assert.deepEqual(imported(results), { TRANSFORM: [taken.self] });
    assert.equal(results.exportJobId ?? null, null);
    const found = ids((await client.export({}))[1]);
    assert.deepEqual([taken, left, other].map((item) => found.has(item.self.id)), [true, false, false]);
  },

  async export() {
    const includeTypes = ["TRANSFORM", "TRIGGER_SUBSCRIPTION"];
    const named = { includedIds: [], includedNames: [trigger.self.name] };
    const objectOptions = { ...only(transform), TRIGGER_SUBSCRIPTION: named };
    const [job, results] = await client.export({ description: "Nightly", includeTypes, objectOptions });
    assert.deepEqual([job.description, results.description], ["Nightly", "Nightly"]);
    assert.deepEqual(results.options.includeTypes, includeTypes);
    assert.equal(results.objects.length, 2);
    for (const item of [transform, trigger]) contains(results.objects.find((one) => one.self.id === item.self.id), item);
  },

  async export_all() {
    const [, everything] = await client.export({ includeTypes: [], excludeTypes: [], objectOptions: {} });
    assert.ok([transform, trigger].every((item) => ids(everything).has(item.self.id)));
    const [, some] = await client.export({ excludeTypes: ["WORKFLOW", "TRANSFORM"] });
    const found = some.objects.map((one) => one.self.type);
    assert.ok(found.includes("TRIGGER_SUBSCRIPTION") && !found.includes("TRANSFORM"), found.join());
  },

  async round_trip() {
    const payload = { includeTypes: ["TRANSFORM"], objectOptions: only(transform) };
    const [, before] = await client.export(payload);
    const [job, results] = await client.import(before);
    checkComplete(job);
    assert.deepEqual(imported(results), { TRANSFORM: [transform.self] });
    assert.deepEqual((await client.export(payload))[1].objects, before.objects);
  },

  async partly_failed() {
    const [source, good] = [fresh("source"), fresh("transform")];
    const [job, results] = await client.import(fileOf(source, good));
    assert.deepEqual([job.status, job.message], ["FAILED", "Import halted because of errors. Download results for error details."]);
    assert.deepEqual(imported(results), { SOURCE: [], TRANSFORM: [good.self] });
    assert.equal(errors(results).length, 1);
    assert.ok(errors(results)[0].key && errors(results)[0].text.includes(source.self.name), JSON.stringify(results));
    assert.ok(results.exportJobId);
  },

  async unknown_type() {
    for (const call of [
      () => client.startExport({ includeTypes: ["TRANSFORM", "WORKFLOWS"] }),
      () => client.startImport(fileOf(fresh("transform")), undefined, { includeTypes: ["WORKFLOWS"] }),
    ]) {
      const said = await refusedDto(400, "400.1.3", call());
      assert.ok(said.includes("WORKFLOWS") && said.includes("TRIGGER_SUBSCRIPTION"), said);
    }
  },

  async no_job() {
    const nowhere = randomUUID();
    for (const id of [nowhere, importJob]) {
      await refusedDto(404, "404", client.exportStatus(id));
      await refusedDto(404, "404", client.exportResults(id));
    }
    for (const id of [nowhere, backupJob]) {
      await refusedDto(404, "404", client.importStatus(id));
      await refusedDto(404, "404", client.importResults(id));
    }
  },

  async no_file() {
    const other = new Api();
    other.configuration.formDataCtor = formWithout("data");
    const said = await refusedDto(400, "400.1.3", other.startImport("", undefined, { excludeBackup: true }));
    assert.ok(said.includes("No files were supplied for import."), said);
  },

  async broken_file() {
    for (const content of ["", "\0", '{"version": 1, "objects": [', '{"version": 1}', "[]"]) {
      await refusedDto(400, "400", client.startImport(content));
    }
  },

  async broken_options() {
    const other = new Api();
    other.configuration.formDataCtor = formWithout("options", blob("{"));
    await refusedDto(400, "400", other.startImport(fileOf(fresh("transform")), undefined, {}));
  },

  async roles() {
    const [auditor, reader] = [Api.of("AUDITOR"), Api.of("READER")];
    assert.ok((await auditor.listed()).length);
    await auditor.export({ includeTypes: ["TRANSFORM"] });
    await refusedDto(403, "403", auditor.startImport(fileOf(fresh("transform"))));
    await refusedDto(403, "403", auditor.importStatus(importJob));
    await refusedDto(403, "403", auditor.importResults(importJob));
    await refusedDto(403, "403", reader.listed());
    await refusedDto(403, "403", reader.startExport({}));
  },
};

for (const line of read("checks.txt").trimEnd().split("\n")) {
  const [, name, sentence] = line.match(/^(\S+)\s+(.*)$/);
  const told = `sailpoint-api-client ${version} ${api}: ${sentence}`;
  try {
    await checks[name]();
  } catch (error) {
    console.log(`FAILED  ${told}`);
    console.error(error.stack ?? error);
    process.exit(1);
  }
  console.log(`ok  ${told}`);
}
