import { assert, assertEquals } from "@std/assert";
import { isOffered } from "../../src/release/rollout.ts";

const COUNT = 100_000;
const PERCENTS = [0, 1, 5, 20, 100];

/** Ids as installations have them, but the same at each run. */
function ids(count: number): string[] {
  let state = 42;
  const digit = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 28).toString(16);
  };
  return Array.from({ length: count }, () => Array.from({ length: 32 }, digit).join(""));
}

const release = (version: string, percent: number) => ({
  name: "mytool",
  version,
  rollout: { percent },
});

Deno.test("Of 100,000 installations each share is offered a release, and keeps it when the share grows", () => {
  const all = ids(COUNT);
  let before = new Set<string>();
  for (const percent of PERCENTS) {
    const offered = new Set(all.filter((id) => isOffered(release("2.0.0", percent), id)));
    const expected = COUNT * percent / 100;
    // Four standard deviations of a fair draw.
    const tolerance = 4 * Math.sqrt(expected * (1 - percent / 100));
    assert(Math.abs(offered.size - expected) <= tolerance, `${percent} %: ${offered.size}`);
    assertEquals([...before].filter((id) => !offered.has(id)), [], "nobody loses it");
    before = offered;
  }
  assertEquals(before.size, COUNT);
});

Deno.test("Another release has others first, so that nobody is always the one who tries", () => {
  const all = ids(COUNT);
  const first = all.filter((id) => isOffered(release("2.0.0", 5), id));
  const again = first.filter((id) => isOffered(release("2.1.0", 5), id));
  const expected = first.length * 0.05;
  assert(Math.abs(again.length - expected) < 5 * Math.sqrt(expected), `${again.length}`);
});

Deno.test("Without a share everybody has it; without an id one comes last", () => {
  const plain = { name: "mytool", version: "2.0.0", rollout: undefined };
  assertEquals(isOffered(plain, undefined), true);
  assertEquals(isOffered(release("2.0.0", 100), undefined), true);
  assertEquals(isOffered(release("2.0.0", 99.999), undefined), false);
});
