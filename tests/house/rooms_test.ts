/** The order of the rooms: an upward import is refused by the linter, and nothing goes in circles. */
import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import plugin from "../support/lint_plugin.ts";
import { ROOMS } from "../support/rooms.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** What each file imports, types included. */
type Graph = Readonly<Record<string, readonly string[]>>;

Deno.test("an upward import is refused in every form, and a downward one is not", () => {
  const upward: [file: string, code: string][] = [
    ["src/files/digest.ts", 'import { update } from "../commands/update.ts";'],
    ["src/base/errors.ts", 'import type { System } from "../system/system.ts";'],
    ["src/system/system.ts", 'import type { Session } from "../session.ts";'],
    ["src/installation/lock.ts", 'export { parse } from "../cli/cli.ts";'],
    ["src/transfer/http.ts", 'export * from "../release/manifest.ts";'],
    ["src/archive/zip.ts", 'const { run } = await import("../run.ts");'],
    ["src/commands/status.ts", 'import { pack } from "../pack/main.ts";'],
    ["src/somewhere/new.ts", 'import { UpdateError } from "../base/errors.ts";'],
  ];
  for (const [file, code] of upward) {
    assertMatch(complaints(file, code).join(), /may not import from|not in the table/, code);
  }
  const downward: [file: string, code: string][] = [
    ["src/commands/update.ts", 'import { digestFile } from "../files/digest.ts";'],
    ["src/transaction/swap.ts", 'import type { Session } from "../session.ts";'],
    ["src/archive/zip.ts", 'import { createHash } from "node:crypto";'],
    ["src/change.ts", 'const { repair } = await import("./commands/repair.ts");'],
    ["tests/files/digest_test.ts", 'import { update } from "../../src/commands/update.ts";'],
  ];
  for (const [file, code] of downward) assertEquals(complaints(file, code), [], code);
});

Deno.test("what is of types only is imported as types", () => {
  const file = "src/commands/update.ts";
  assertMatch(complaints(file, 'import { Session } from "../session.ts";').join(), /of types only/);
  assertEquals(complaints(file, 'import { type Session } from "../session.ts";'), []);
});

Deno.test("the table names every room, and goes one way", () => {
  const rooms = [...Deno.readDirSync(join(ROOT, "src"))].map(({ name }) => name);
  assertEquals(rooms.filter((room) => !(room in ROOMS)), []);
  assertEquals(circle(ROOMS), undefined);
});

Deno.test("no file imports itself in a circle, by types neither", () => {
  assertEquals(circle({ a: ["b"], b: ["c", "d"], c: [], d: ["a"] }), ["a", "b", "d", "a"]);
  assertEquals(circle({ a: ["b", "c"], b: ["c"], c: [] }), undefined);
  const graph = imports();
  assertEquals(Object.values(graph).flat().length > 100, true, "imports are not read any more");
  assertEquals(circle(graph), undefined);
});

function complaints(file: string, code: string): string[] {
  return Deno.lint.runPlugin(plugin, `/checkout/${file}`, `${code}\n`)
    .filter(({ id }) => id === "seam/rooms")
    .map(({ message }) => message);
}

/** A way from a node back to itself; undefined where there is none. */
function circle(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const follow = (node: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph[node] ?? []) {
      const found = follow(next, [...way, node]);
      if (found) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of Object.keys(graph)) {
    const found = follow(node, []);
    if (found) return found;
  }
  return undefined;
}

function imports(): Graph {
  const files = filesBelow("src").filter((path) => path.endsWith(".ts"));
  return Object.fromEntries(files.map((file) => {
    const source = Deno.readTextFileSync(join(ROOT, file));
    const specifiers = [...source.matchAll(/(?:\bfrom\s+|\bimport\(\s*)"(\.[^"]+)"/g)];
    const paths = specifiers.map(([, path]) => new URL(path!, `file:///${file}`).pathname.slice(1));
    return [file, paths];
  }));
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}
