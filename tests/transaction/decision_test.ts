/**
 * The tables of `src/transaction/decision.ts`, held against what they promise: each row is reached,
 * every fact has one, and no decision leads where a target cannot go.
 */
import { assert, assertEquals } from "@std/assert";
import {
  decide,
  type Decision,
  DECISIONS,
  type Facts,
  type Way,
  wayOf,
  WAYS,
} from "../../src/transaction/decision.ts";
import type { Phase } from "../../src/transaction/journal.ts";

const TARGETS: readonly Facts["target"][] = ["old", "fresh", "missing", "broken", "other"];
const PHASES: readonly Phase[] = [
  "staging",
  "committing",
  "rolling-back",
  "committed",
  "leftovers",
];
const both = [true, false];

/** Everything that the disk can say about one target. */
const ALL: Facts[] = TARGETS.flatMap((target) =>
  both.flatMap((staged) =>
    both.flatMap((kept) => both.map((first) => ({ target, staged, kept, first })))
  )
  // A first installation has no old one that it could be, or that could be kept.
).filter(({ target, kept, first }) => !first || (target !== "old" && !kept));

Deno.test("Every fact has a row, and every row a fact", () => {
  const reached = new Set<unknown>();
  for (const facts of ALL) {
    const row = WAYS.find(([target, staged, kept, first]) =>
      target === facts.target && [[staged, facts.staged], [kept, facts.kept], [first, facts.first]]
        .every(([cell, fact]) => cell === "-" || cell === fact)
    );
    assert(row, JSON.stringify(facts));
    assertEquals(wayOf(facts), row![4]);
    reached.add(row);
  }
  assertEquals(WAYS.filter((row) => !reached.has(row)), []);
});

Deno.test("A target goes on only to a new one that is there, and back only to an old one that is", () => {
  for (const facts of ALL) {
    const { target, staged, kept, first } = facts;
    const on = target === "fresh" || (staged && target !== "other");
    const back = target === "old" || first || (target !== "other" && kept);
    const expected: Way = on && back ? "both" : on ? "on" : back ? "back" : "none";
    assertEquals(wayOf(facts), expected, JSON.stringify(facts));
  }
});

Deno.test("Never a mix: on only if all can, back only if all can, and each row is needed", () => {
  const reached = new Set<unknown>();
  for (const phase of PHASES) {
    for (const a of ALL) {
      for (const b of ALL) {
        const decision = decide(phase, [a, b]);
        const can = (way: Way) => [a, b].every((facts) => [way, "both"].includes(wayOf(facts)));
        if (decision === "finish") assert(can("on"), JSON.stringify([phase, a, b]));
        if (decision === "put-back") assert(can("back"), JSON.stringify([phase, a, b]));
        if (decision === "give-up") assert(!can("back"), JSON.stringify([phase, a, b]));
        const row = DECISIONS.find(([when, on, back, what]) =>
          when === phase && what === decision && (on === "-" || on === can("on")) &&
          (back === "-" || back === can("back"))
        );
        reached.add(row);
      }
    }
  }
  assertEquals(DECISIONS.filter((row) => !reached.has(row)), []);
});

/** As a person would tell it: `target` of the phase, a `+` for each of staged, kept, first. */
const STORIES: readonly (readonly [Phase, readonly string[], Decision])[] = [
  ["staging", ["old staged", "old"], "discard"],
  ["committing", ["fresh kept", "old staged kept"], "finish"],
  ["committing", ["fresh kept", "missing staged kept"], "finish"],
  ["committing", ["fresh kept", "old"], "put-back"],
  ["committing", ["fresh first", "missing first"], "put-back"],
  ["committing", ["fresh kept", "other staged kept"], "give-up"],
  ["committing", ["fresh kept", "other staged first"], "put-back"],
  ["committing", ["fresh", "broken kept"], "give-up"],
  ["rolling-back", ["old staged", "fresh kept"], "put-back"],
  ["rolling-back", ["fresh", "old"], "give-up"],
  ["committed", ["missing kept", "fresh"], "tidy"],
  ["committed", ["fresh kept", "fresh kept"], "tidy"],
  ["committed", ["missing kept", "fresh kept"], "put-back"],
  ["committed", ["broken kept", "fresh kept"], "put-back"],
  ["committed", ["other kept", "fresh kept"], "tidy"],
  ["committed", ["missing first", "fresh first"], "tidy"],
  ["leftovers", [], "tidy"],
];

for (const [phase, files, decision] of STORIES) {
  Deno.test(`${phase}: ${files.join(", ") || "no file"} -> ${decision}`, () => {
    const facts = files.map((text): Facts => {
      const [target, ...words] = text.split(" ") as [Facts["target"], ...string[]];
      const has = (word: string) => words.includes(word);
      return { target, staged: has("staged"), kept: has("kept"), first: has("first") };
    });
    assertEquals(decide(phase, facts), decision);
  });
}

Deno.test("Going back out of `committing` cannot become going on at the next start", () => {
  for (const a of ALL) {
    for (const b of ALL) {
      if (decide("committing", [a, b]) !== "put-back") continue;
      // One was put back, then we were killed: its staged file had become the target, or is there still.
      const left = a.first ? "missing" : "old";
      const back: Facts = { ...a, target: a.target === "other" ? "other" : left };
      assertEquals(decide("committing", [back, b]), "put-back", JSON.stringify([a, b]));
    }
  }
});
