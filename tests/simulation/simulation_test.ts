/**
 * The swap and the recovery on a simulated disk: a crash before every step, with every allowed part
 * of what was not synced, and a crash before every step of the recovery from each of these, and of
 * the recovery from those. Of each is asked: is every target complete before any repair, is the set
 * all old or all new after it, is nothing left, does another repair change nothing.
 */
import { assert, assertRejects } from "@std/assert";
import { sweepTest } from "../support/again.ts";
import * as broken from "../support/broken_file_systems.ts";
import { explore } from "../support/crash_explorer.ts";
import { FaultyFileSystem } from "../support/faulty_file_system.ts";
import { explorationOf, type Scenario } from "../support/simulated_installation.ts";

const ONE = ["/opt/a"];
const TWO = ["/opt/a", "/opt/b"];
const THREE = ["/opt/a", "/opt/b", "/opt/c"];
/** Behind a link: in another folder, on another device than the state dir. */
const APART = ["/opt/a", "/srv/b"];

const noLinks = (code: string): Required<Scenario>["wrap"] => (fs) =>
  new FaultyFileSystem(fs, (step, path) => {
    if (step === "link") throw fs.error(code, path);
  });

/** The least number of states says when a change of the code makes the exploration hollow. */
const EXPLORED: [what: string, least: number, scenario: Scenario][] = [
  ["one file", 200, { model: "subset", targets: ONE }],
  ["one file, with torn renames", 200, { model: "split", targets: ONE }],
  ["one file that was not there", 150, { model: "split", targets: ONE, firstOfLast: true }],
  ["two files", 400, { model: "subset", targets: TWO }],
  ["two files, with a metadata journal", 250, { model: "ordered", targets: TWO }],
  ["two files, with torn renames", 500, { model: "split", targets: TWO }],
  ["two files, one of them new", 350, { model: "split", targets: TWO, firstOfLast: true }],
  ["two files that turn out sick", 350, { model: "split", targets: TWO, sick: true }],
  ["two files, beside another tool", 250, { model: "ordered", targets: TWO, shared: true }],
  ["two files, and the folder is moved", 300, { model: "subset", targets: TWO, then: "moved" }],
  ["two files, and the folder is copied", 150, { model: "ordered", targets: TWO, then: "copied" }],
  ["two files, by patches", 200, { model: "ordered", targets: TWO, patched: true }],
  ["three files", 1000, { model: "subset", targets: THREE }],
  ["three files, one of them new", 800, { model: "ordered", targets: THREE, firstOfLast: true }],
  ["two devices", 500, { model: "split", targets: APART }],
  ["two devices, and sick", 400, { model: "split", targets: APART, sick: true }],
  ["no hard links", 500, { model: "subset", targets: TWO, wrap: noLinks("EPERM") }],
  ["too many hard links", 400, {
    model: "subset",
    targets: TWO,
    sick: true,
    wrap: noLinks("EMLINK"),
  }],
];

const WINDOWS = { model: "ordered", os: "windows" } as const;
const EXPLORED_ON_WINDOWS: typeof EXPLORED = [
  ["two files", 300, { ...WINDOWS, targets: TWO }],
  ["two files that run", 600, { ...WINDOWS, targets: TWO, executing: true }],
  ["two files that run, and sick", 600, {
    ...WINDOWS,
    targets: TWO,
    executing: true,
    sick: true,
  }],
  ["two files that run, by patches", 600, {
    ...WINDOWS,
    targets: TWO,
    executing: true,
    patched: true,
  }],
  ["two devices, running", 900, { ...WINDOWS, targets: APART, executing: true }],
  ["no hard links, running", 400, {
    ...WINDOWS,
    targets: ONE,
    executing: true,
    wrap: noLinks("EPERM"),
  }],
];

for (const [what, least, scenario] of [...EXPLORED, ...EXPLORED_ON_WINDOWS]) {
  const where = scenario.os === "windows" ? " on Windows" : "";
  const name = `No crash breaks an update${where}: ${what}`;
  sweepTest({ task: "test", url: import.meta.url, name }, async () => {
    const { states } = await explore(explorationOf(scenario));
    assert(states >= least, `only ${states} states were looked at`);
  });
}

/** Each is a way in which updaters were broken; the exploration has to see it. */
const BROKEN: [what: string, complaint: RegExp, scenario: Scenario][] = [
  ["an update that does not sync folders", /the set is|is still|is .* after a crash/, {
    model: "subset",
    targets: TWO,
    wrap: (fs, of) => of === "update" ? new broken.NoFolderSync(fs) : fs,
  }],
  ["a recovery that does not sync folders", /the set is|is still/, {
    model: "subset",
    targets: TWO,
    wrap: (fs, of) => of === "repair" ? new broken.NoFolderSync(fs) : fs,
  }],
  ["an update that does not sync files", /is corrupt after a crash|the set is|of mode|is still/, {
    model: "ordered",
    targets: ONE,
    wrap: (fs) => new broken.NoFileSync(fs),
  }],
  ["a replacement that removes first", /is missing after a crash/, {
    model: "ordered",
    targets: ONE,
    wrap: (fs) => new broken.RemoveThenRename(fs),
  }],
  ["an old file that is moved aside", /is missing after a crash/, {
    model: "ordered",
    targets: ONE,
    wrap: (fs) => new broken.MoveAside(fs),
  }],
  ["writing in place", /is corrupt after a crash/, {
    model: "ordered",
    targets: ONE,
    wrap: (fs) => new broken.WriteInPlace(fs),
  }],
  ["what is done to another tool", /guest" was changed/, {
    model: "ordered",
    targets: ONE,
    shared: true,
    wrap: (fs) => new broken.TidiesForAll(fs),
  }],
  ["what is done to the original of a copy", /original of the copy was changed/, {
    model: "ordered",
    targets: ONE,
    then: "copied",
    wrap: (fs) => new broken.TidiesTheOriginal(fs),
  }],
  ["no journal", /the set is (old, new|new, old)|is still/, {
    model: "ordered",
    targets: TWO,
    wrap: (fs) => new broken.NoJournal(fs),
  }],
];

for (const [what, complaint, scenario] of BROKEN) {
  Deno.test(`The exploration sees ${what}`, async () => {
    const { message } = await assertRejects(() => explore(explorationOf(scenario)), Error);
    assert(complaint.test(message), message);
  });
}
