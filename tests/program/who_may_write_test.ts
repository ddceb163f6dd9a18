/**
 * Who may write where, and what happens: the table of SECURITY.md, each cell by the compiled shim, as
 * a user and as root. Needs root, to be anybody.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  isRoot,
  type Machine,
  makeMachine,
  OTHER,
  put,
  runAs,
  STAFF,
  USER,
} from "../support/users.ts";

type Owner = "us" | "root" | "other";

/** In this order in every row below. Of the group: the owner's own, or one that others are in. */
const MODES: readonly [what: string, mode: number, group: "own" | "staff"][] = [
  ["0755", 0o755, "own"],
  ["0775, own group", 0o775, "own"],
  ["0775, other group", 0o775, "staff"],
  ["0777", 0o777, "own"],
  ["1777", 0o1777, "own"],
];

/** Exit codes of a command that believes, runs or replaces what lies there. */
const TABLE: Record<string, Partial<Record<Owner, string>>> = {
  // Root's without a right to write for us is no question of trust, but code 7 as well.
  "install dir": { us: "0 0 0 7 7", root: "7 0 7 7 7", other: "7 7 7 7 7" },
  "parent": { us: "0 0 0 7 0", root: "0 0 0 7 0", other: "7 7 7 7 7" },
  "configuration": { us: "0 0 7 7 7", root: "0 0 7 7 7", other: "7 7 7 7 7" },
  "state dir": { us: "0 0 7 7 7", root: "7 7 7 7 7", other: "7 7 7 7 7" },
  "journal": { us: "0 0 7 7 7", root: "0 0 7 7 7", other: "7 7 7 7 7" },
  "receipt": { us: "0 0 7 7 7", root: "0 0 7 7 7", other: "7 7 7 7 7" },
  "target": { us: "0 0 7 7 7", root: "0 0 7 7 7", other: "7 7 7 7 7" },
  // Not restored, named, and the rest of the folder is looked after.
  ".previous": { us: "0 0 9 9 9", root: "0 0 9 9 9", other: "9 9 9 9 9" },
};

/** Root works in another user's folder as that user. */
const FOR_ROOT: typeof TABLE = { ...TABLE, "install dir": { us: "0 0 0 7 7", other: "0 0 0 7 7" } };

interface Case {
  readonly place: string;
  readonly owner: Owner;
  readonly mode: (typeof MODES)[number];
  readonly code: number;
}

function casesOf(table: typeof TABLE, owners: readonly Owner[]): Case[] {
  return Object.entries(table).flatMap(([place, rows]) =>
    owners.flatMap((owner) =>
      (rows[owner] ?? "").split(" ").map((code, index) => ({
        place,
        owner,
        mode: MODES[index]!,
        code: Number(code),
      }))
    )
  );
}

const IDS: Record<Owner, (we: number) => number> = {
  us: (we) => we,
  root: () => 0,
  other: () => OTHER,
};

/** Leaves a mark when it is run, and says a version. */
function script(mark: string, version: string): string {
  return `#!/bin/sh\necho "$0 $1" >>"${mark}"\necho "tool ${version}"\n`;
}

/** Builds a folder in which all is ours but for the one place, and runs the shim there. */
async function tryCase({ folder, shim }: Machine, we: number, one: Case): Promise<string[]> {
  const { place, mode: [, mode, group], code: expected } = one;
  const uid = IDS[one.owner](we);
  const owner = [uid, group === "own" ? (one.owner === "us" ? we : ownGroup(we, uid)) : STAFF] as [
    number,
    number,
  ];
  const base = put(join(folder, crypto.randomUUID()), [0, 0], 0o755);
  const mark = put(join(base, "mark"), [we, we], 0o666, "");
  const parent = put(join(base, "parent"), [we, we], 0o755);
  const bin = put(join(parent, "bin"), [we, we], 0o755);
  // What is in another user's folder, where root works as he, is his.
  const inside = we === 0 && place === "install dir" ? uid : we;
  const mine: [number, number] = [inside, inside];
  const state = put(join(bin, ".updater-shim"), mine, 0o700);
  const home = put(join(state, "updater-shim"), mine, 0o700);
  const paths: Record<string, string> = {
    "install dir": bin,
    "parent": parent,
    "state dir": state,
    "configuration": join(bin, "updater-shim.json"),
    "journal": join(home, "journal"),
    "receipt": join(home, "receipt.json"),
    "target": join(bin, "tool"),
    ".previous": join(bin, "lost.previous"),
  };
  const path = paths[place]!;
  const texts: Record<string, string> = {
    "configuration": JSON.stringify({ healthCheck: { args: ["configured"] } }),
    "journal": "not a journal",
    "receipt": "not a receipt",
    "target": script(mark, "1.0.0"),
    ".previous": script(mark, "1.0.0"),
  };
  put(paths.target!, mine, 0o755, texts.target);
  const text = texts[place];
  if (text !== undefined) Deno.writeTextFileSync(path, text);
  // The one place, last.
  Deno.chownSync(path, ...owner);
  Deno.chmodSync(path, mode);
  const fresh = put(join(base, "fresh"), [0, 0], 0o755, script(mark, "2.0.0"));
  const command = place === ".previous"
    ? ["--repair"]
    : ["--from", fresh, "--target", "tool", "--json"];
  const run = await runAs(we, shim, ["--install-dir", bin, ...command]);
  const { code, stdout, stderr } = run;
  const ran = Deno.readTextFileSync(mark);
  const faults: string[] = [];
  const check = (right: boolean, what: string) => right || faults.push(what);
  check(code === expected, `code ${code} instead of ${expected}`);
  const tool = Deno.readTextFileSync(paths.target!);
  if (place === ".previous") {
    const restored = exists(join(bin, "lost"));
    check(restored === (expected === 0), restored ? "it was restored" : "it was not restored");
  } else {
    check(tool.includes("2.0.0") === (expected === 0), `the tool is: ${tool}`);
  }
  if (place === "configuration") {
    check(ran.includes("configured") === (expected === 0), `ran: ${ran}`);
  } else if (place === "target") {
    check(ran.includes(path) === (expected === 0), `ran: ${ran}`);
  } else if (place === ".previous") check(!ran.includes("lost"), `ran: ${ran}`);
  const canWrite = place !== "install dir" || one.owner !== "root" || we === 0;
  if (expected !== 0 && (canWrite || (mode & 0o002) !== 0)) {
    const facts = [path, `owner ${uid}`, `mode ${mode.toString(8).padStart(4, "0")}`];
    for (const fact of facts) check(stderr.includes(fact), `no "${fact}" is said`);
  }
  const what = `${place} of ${one.owner}, ${one.mode[0]}`;
  return faults.map((fault) => `${what}: ${fault}\n${stdout}${stderr}`);
}

/** Of root's own folders: with our private group we could write there. */
function ownGroup(we: number, uid: number): number {
  return uid === 0 ? we : uid;
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}

async function tryAll(we: number, cases: readonly Case[]): Promise<void> {
  using machine = await makeMachine();
  const faults: string[] = [];
  const rest = [...cases];
  const lane = async () => {
    for (let one = rest.shift(); one; one = rest.shift()) {
      faults.push(...await tryCase(machine, we, one));
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  assertEquals(faults.length, 0, faults.join("\n---\n"));
}

Deno.test({
  name: "the table of owners, modes and places, for a user",
  ignore: !isRoot,
  fn: () => tryAll(USER, casesOf(TABLE, ["us", "root", "other"])),
});

Deno.test({
  name: "the table of owners, modes and places, for root",
  ignore: !isRoot,
  fn: () => tryAll(0, casesOf(FOR_ROOT, ["us", "other"])),
});
