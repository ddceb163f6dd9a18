/** What to do with an interrupted update: facts from the disk, and a pure table over them. */
import { examine } from "../files/executable_format.ts";
import type { JournalFile, Phase } from "./journal.ts";
import { holds } from "./swap.ts";
import type { FileSystem } from "../system/system.ts";

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

/** Never a mix: forward if that is possible for all, else back if that is possible for all. */
export function decide(phase: Phase, files: readonly Facts[]): Decision {
  if (phase === "staging") return "discard";
  if (phase === "committed") return "tidy";
  const forward = files.every(({ target, staged }) =>
    target === "fresh" || (staged && target !== "other")
  );
  if (phase === "committing" && forward) return "finish";
  const back = files.every(({ target, kept, first }) =>
    target === "old" || (first ? target !== "other" : kept && target !== "other")
  );
  return back ? "put-back" : "give-up";
}

/** Reads what the disk says: names, sizes, digests. */
export function look(fs: FileSystem, file: JournalFile): Facts {
  const is = (path: string, content: JournalFile["old"]) =>
    content !== null && holds(fs, path, content);
  return {
    target: is(file.target, file.fresh) ? "fresh" : is(file.target, file.old) ? "old" : other(),
    staged: is(file.staged, file.fresh),
    kept: is(file.previous, file.old) || is(file.aside, file.old),
    first: file.old === null,
  };
  function other(): Facts["target"] {
    const { completeness } = examine(fs, file.target);
    return completeness === "complete" || completeness === "not-a-file" ? "other" : completeness;
  }
}
