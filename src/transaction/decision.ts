/**
 * What to do with an interrupted update: facts from the disk, and a table over them. The table is
 * the code, and `tests/transaction/decision_test.ts` tries every row of it.
 *
 * Going back out of `committing` needs no record of its own: the file that stands in the way of going
 * on has no staged file, putting others back makes none, and so no later start can decide otherwise.
 */
import { examine } from "../files/executable_format.ts";
import type { Located, Phase } from "./journal.ts";
import { holds } from "./swap.ts";
import type { FileSystem } from "../system/file_system.ts";

/** What the disk says about one target of an interrupted update. */
export interface Facts {
  /** `broken`: empty or cut off; `other`: complete, but neither the old nor the new one. */
  readonly target: "old" | "fresh" | "missing" | "broken" | "other";
  /** The staged file is there, complete. */
  readonly staged: boolean;
  /** The old one is there under another name, complete. */
  readonly kept: boolean;
  /** There was no old one. */
  readonly first: boolean;
}

/** What recovery does with an interrupted update. */
export type Decision = "discard" | "finish" | "put-back" | "tidy" | "give-up";

/** How far one target can be brought. */
export type Way = "on" | "back" | "both" | "none";

/**
 * Where one target can go: on to the new one, back to the old one. `-` is either.
 */
export const WAYS: readonly (readonly [
  target: Facts["target"],
  staged: boolean | "-",
  kept: boolean | "-",
  first: boolean | "-",
  way: Way,
])[] = [
  // The new one is in place, and the old one can come back.
  ["fresh", "-", true, false, "both"],
  // It was a first installation: removing it is the way back.
  ["fresh", "-", "-", true, "both"],
  // Whoever removed the old one's second name left only the way on.
  ["fresh", "-", false, false, "on"],
  // It was not replaced yet.
  ["old", true, "-", "-", "both"],
  ["old", false, "-", "-", "back"],
  // Windows, between two renames; or somebody removed or damaged it.
  ["missing", true, true, false, "both"],
  ["missing", true, "-", true, "both"],
  ["missing", true, false, false, "on"],
  ["missing", false, true, false, "back"],
  ["missing", false, "-", true, "back"],
  ["missing", false, false, false, "none"],
  ["broken", true, true, false, "both"],
  ["broken", true, "-", true, "both"],
  ["broken", true, false, false, "on"],
  ["broken", false, true, false, "back"],
  ["broken", false, "-", true, "back"],
  ["broken", false, false, false, "none"],
  // Somebody else replaced it: neither way is ours.
  ["other", "-", "-", false, "none"],
  // Nothing of ours was there, and nothing is: it is back already.
  ["other", "-", "-", true, "back"],
];

/** The row of `WAYS` that fits. */
export function wayOf(facts: Facts): Way {
  const fits = (cell: boolean | "-", fact: boolean) => cell === "-" || cell === fact;
  const row = WAYS.find(([target, staged, kept, first]) =>
    target === facts.target && fits(staged, facts.staged) && fits(kept, facts.kept) &&
    fits(first, facts.first)
  );
  return row?.[4] ?? "none";
}

/**
 * What is done, by the phase and where all targets can go. Never a mix: on if that is possible for
 * all, else back if that is possible for all.
 */
export const DECISIONS: readonly (readonly [
  phase: Phase,
  allOn: boolean | "-",
  allBack: boolean | "-",
  decision: Decision,
])[] = [
  // No target was touched.
  ["staging", "-", "-", "discard"],
  ["committing", true, "-", "finish"],
  ["committing", false, true, "put-back"],
  ["committing", false, false, "give-up"],
  // What failed once is not tried again.
  ["rolling-back", "-", true, "put-back"],
  ["rolling-back", "-", false, "give-up"],
  // Only where somebody took a new one away, or cut it off: see `decide`.
  ["committed", "-", true, "put-back"],
  ["committed", "-", "-", "tidy"],
  ["leftovers", "-", "-", "tidy"],
];

/** The row of `DECISIONS` that fits. */
export function decide(phase: Phase, files: readonly Facts[]): Decision {
  const ways = files.map(wayOf);
  const allOn = ways.every((way) => way === "on" || way === "both");
  const allBack = ways.every((way) => way === "back" || way === "both");
  // The old one of one target beside the new ones of the others would be a mix.
  const isLost = ({ target, kept }: Facts) => (target === "missing" || target === "broken") && kept;
  const stays = phase === "committed" && !files.some(isLost);
  const fits = (cell: boolean | "-", fact: boolean) => cell === "-" || cell === fact;
  const row = DECISIONS.find(([when, on, back, decision]) =>
    when === phase && fits(on, allOn) && fits(back, allBack) &&
    !(stays && decision === "put-back")
  );
  return row![3];
}

/** Reads what the disk says: names, sizes, digests. A known digest has the last word. */
export function look(fs: FileSystem, file: Located): Facts {
  const is = (path: string, content: Located["old"]) =>
    content !== null && holds(fs, path, content);
  return {
    target: is(file.target, file.fresh) ? "fresh" : is(file.target, file.old) ? "old" : other(),
    staged: is(file.staged, file.fresh),
    kept: [file.previous, file.hiddenPrevious, file.aside].some((path) => is(path, file.old)),
    first: file.old === null,
  };
  function other(): Facts["target"] {
    const { completeness } = examine(fs, file.target);
    return completeness === "complete" || completeness === "not-a-file" ? "other" : completeness;
  }
}
