/**
 * Each fsync of an update is left out once. Either a power cut then leaves what no power cut may, or the
 * list says why the fsync is there all the same. One that is not in the list was not thought about.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { WithoutOneSync } from "../support/broken_file_systems.ts";
import { explore } from "../support/crash_explorer.ts";
import {
  explorationOf,
  makeDisk,
  optionsOf,
  type Scenario,
  update,
} from "../support/simulated_installation.ts";
import { SimulatedFileSystem } from "../support/simulated_file_system.ts";

const STATE = "/opt/.updater-shim", HOME = `${STATE}/updater-shim`, ASIDE = "/srv/.updater-shim";
const ONE: Scenario = { model: "subset", targets: ["/opt/a"] };
const TORN: Scenario = { ...ONE, model: "split" };
const TWO: Scenario = { model: "split", targets: ["/opt/a", "/opt/b"] };
const APART: Scenario = { model: "split", targets: ["/opt/a", "/srv/b"] };
const COPIED: Scenario = { ...APART, model: "subset" };

/** What is left where it was left out; or why it is there. */
type Reason = readonly [Scenario, complaint: RegExp] | string;

/** In their order, of an update of one file; a name for every transaction's own. */
const SYNCS: readonly (readonly [path: string, reason: Reason])[] = [
  ["/opt/", [ONE, /there is still .*\.previous/]],
  [`${STATE}/`, [ONE, /there is still .*\.previous/]],
  [`${HOME}/journal.new`, [ONE, /there is still .*journal\.broken/]],
  [`${HOME}/`, [APART, RegExp(`there is still ${ASIDE}`)]],
  [`${HOME}/staged/T/a`, [ONE, /"\/opt\/a" is corrupt/]],
  [`${HOME}/journal.new`, [ONE, /there is still .*journal\.broken/]],
  [`${HOME}/`, [ONE, /there is still .*\.previous/]],
  ["/opt/", [TWO, /the set is (old, new|new, old)/]],
  ["/opt/", [TWO, /the set is (old, new|new, old)/]],
  [`${HOME}/journal.new`, [ONE, /journal\.broken/]],
  [`${HOME}/`, "a record is written in one way; the next step syncs this folder, too"],
  [`${HOME}/`, [ONE, /The rollback copy .* is not the old one/]],
  [`${HOME}/rollback/`, [COPIED, /The rollback copy .* is not the old one/]],
  ["/opt/", [TORN, /there is still .*\.previous/]],
  [`${HOME}/receipt.json.new`, [ONE, /The receipt is damaged/]],
  [`${HOME}/`, [ONE, /There is no receipt/]],
  [`${HOME}/last-run.json.new`, [ONE, /the tool shows of the last run is damaged/]],
];

/** What an update of that kind syncs. */
async function syncsOf(scenario: Scenario): Promise<string[]> {
  const seen: WithoutOneSync[] = [];
  const wrap = (fs: SimulatedFileSystem) => {
    const watched = new WithoutOneSync(fs, -1);
    seen.push(watched);
    return watched;
  };
  const disk = makeDisk(scenario);
  await update({ ...scenario, wrap }, new SimulatedFileSystem(disk, optionsOf(scenario)));
  return seen.flatMap(({ synced }) => synced).map((path) =>
    path.replace(/staged\/[0-9a-f]{16}/, "staged/T")
  );
}

Deno.test("an update of one file syncs what is listed, and nothing else", async () => {
  assertEquals(await syncsOf(ONE), SYNCS.map(([path]) => path));
});

for (const [index, [path, reason]] of SYNCS.entries()) {
  if (typeof reason === "string") continue;
  Deno.test(`without the fsync of ${path}, number ${index + 1}, a power cut does harm`, async () => {
    const [scenario, complaint] = reason;
    // With more files there are more before it: it is the same one of its path.
    const rank = SYNCS.slice(0, index).filter(([other]) => other === path).length;
    const all = await syncsOf(scenario);
    const at = [...all.keys()].filter((at) => all[at] === path)[rank] ?? -1;
    assert(at >= 0, `there is no ${path} any more`);
    const wrap: Scenario["wrap"] = (fs, of) => of === "update" ? new WithoutOneSync(fs, at) : fs;
    const { message } = await assertRejects(
      () => explore(explorationOf({ ...scenario, wrap })),
      Error,
    );
    assert(complaint.test(message), message);
  });
}
