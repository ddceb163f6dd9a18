/** GitHub's workflows cannot be run here: that they are well-formed, and say what is there, can be seen. */
import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { parse } from "@std/yaml";
import * as v from "valibot";
import { TARGETS } from "../../.ci/release.ts";
import { OPTIONS } from "../../src/cli/options.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const FOLDER = join(ROOT, ".github", "workflows");

// The part of the workflow syntax that is used here
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax); what is not
// known is an error, because GitHub ignores a key that stands in the wrong place.
const text = v.pipe(v.string(), v.minLength(1));
const permissions = v.record(
  v.picklist(["contents", "id-token", "attestations"]),
  v.picklist(["read", "write"]),
);
const scalar = v.union([text, v.number(), v.boolean()]);
const step = v.pipe(
  v.strictObject({
    name: v.optional(text),
    if: v.optional(text),
    uses: v.optional(text),
    with: v.optional(v.record(text, scalar)),
    run: v.optional(text),
    env: v.optional(v.record(text, scalar)),
    "continue-on-error": v.optional(v.boolean()),
  }),
  v.check(({ uses, run }) => (uses === undefined) !== (run === undefined), "uses or run"),
);
const job = v.strictObject({
  name: v.optional(text),
  needs: v.optional(v.union([text, v.array(text)])),
  "runs-on": text,
  "timeout-minutes": v.number(),
  "continue-on-error": v.optional(v.boolean()),
  environment: v.optional(text),
  permissions: v.optional(permissions),
  container: v.optional(v.strictObject({ image: text, options: v.optional(text) })),
  strategy: v.optional(v.strictObject({
    "fail-fast": v.optional(v.boolean()),
    matrix: v.record(text, v.array(v.union([text, v.record(text, text)]))),
  })),
  steps: v.pipe(v.array(step), v.minLength(1)),
});
const workflow = v.strictObject({
  name: text,
  on: v.record(v.picklist(["push", "pull_request", "workflow_dispatch"]), v.any()),
  permissions,
  concurrency: v.strictObject({ group: text, "cancel-in-progress": scalar }),
  defaults: v.strictObject({ run: v.strictObject({ shell: v.literal("bash") }) }),
  env: v.record(text, text),
  jobs: v.record(text, job),
});

const workflows = [...Deno.readDirSync(FOLDER)].map(({ name }) => {
  const source = Deno.readTextFileSync(join(FOLDER, name));
  return { ...v.parse(workflow, parse(source)), name, source };
});

Deno.test("jobs wait for jobs that are there", () => {
  for (const { name, jobs } of workflows) {
    for (const { needs = [] } of Object.values(jobs)) {
      for (const other of [needs].flat()) assertEquals(other in jobs, true, `${name}: ${other}`);
    }
  }
});

Deno.test("every action is pinned by its digest, with the version beside it", () => {
  for (const { name, source } of workflows) {
    const lines = source.split("\n").filter((line) => /\buses:/.test(line));
    assertEquals(lines.length > 0, true, name);
    for (const line of lines) {
      assertMatch(
        line,
        /^\s+(- )?uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/,
      );
    }
  }
});

Deno.test("only the job that publishes may write, and secrets are named only there", () => {
  for (const { name, permissions, jobs } of workflows) {
    assertEquals(Object.values(permissions).filter((right) => right === "write"), [], name);
    for (const [id, { permissions = {}, steps, environment }] of Object.entries(jobs)) {
      const writes = Object.values(permissions).includes("write");
      const secrets = JSON.stringify(steps).includes("secrets.");
      assertEquals([writes, secrets], Array(2).fill(id === "publish"), `${name}: ${id}`);
      assertEquals(environment, id === "publish" ? "release" : undefined);
    }
  }
});

Deno.test("no text from outside is put into a script: only variables that the shell reads", () => {
  for (const { name, jobs } of workflows) {
    for (const { run } of Object.values(jobs).flatMap(({ steps }) => steps)) {
      // An expression is replaced before the shell reads the script; a matrix is our own text.
      const foreign = [...(run ?? "").matchAll(/\$\{\{\s*([^}]*?)\s*\}\}/g)].map(([, what]) =>
        what!
      );
      assertEquals(foreign.filter((what) => !what.startsWith("matrix.")), [], name);
    }
  }
});

Deno.test("the tasks, scripts and options that a workflow names are there", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))) as {
    tasks: Record<string, unknown>;
  };
  const options = OPTIONS.map(({ name }) => `--${name}`);
  for (const { source } of workflows) {
    for (const [, task] of source.matchAll(/deno task ([\w:]+)/g)) {
      assertEquals(task! in tasks, true, `deno task ${task}`);
    }
    for (const [path] of source.matchAll(/\.ci\/[\w.]+/g)) Deno.statSync(join(ROOT, path));
    for (const [, args] of source.matchAll(/(?:dist\/updater-shim[\w-]*|"\$SHIM") (--.+)$/gm)) {
      for (const [option] of args!.matchAll(/(?<=^|\s)--[\w-]+/g)) {
        assertEquals(options.includes(option), true, option);
      }
    }
  }
});

Deno.test("a release is built on two machines, compared, and tried on every system that it is for", () => {
  const { jobs, source } = workflows.find(({ name }) =>
    name === "Release" || name === "release.yml"
  )!;
  const machines = jobs.build!.strategy!.matrix.os as string[];
  assertEquals(new Set(machines).size, 2);
  assertMatch(
    source,
    new RegExp(`diff -r ${machines.map((os) => `built/executables-${os}`).join(" ")}`),
  );
  const tried = jobs.try!.strategy!.matrix.include!.map((row) =>
    (row as { target: string }).target
  );
  assertEquals(tried.toSorted(), TARGETS.toSorted());
  assertEquals([jobs.publish!.needs].flat().toSorted(), ["build", "quickjs", "try"]);
});
