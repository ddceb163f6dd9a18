/** The manifest's text: the same release gives the same bytes. */
import type { Choice, Selection } from "./select.ts";

/** What the manifest says besides its files. */
export interface ReleaseFacts {
  readonly name: string;
  readonly version: string;
  readonly published?: string | undefined;
  readonly expires?: string | undefined;
  readonly notes?: string | undefined;
  readonly homepage?: string | undefined;
  readonly percent?: number | undefined;
}

/** A patch as the manifest names it. */
export interface PatchEntry {
  readonly from: { readonly size: number; readonly sha256: string };
  readonly url: string;
  readonly size: number;
  readonly sha256: string;
  readonly format: string;
}

/** Any JSON. */
export type Json = string | number | boolean | null | readonly Json[] | {
  readonly [key: string]: Json | undefined;
};

/** The document, before it is written. `urlOf` gives the URL of a file by its name. */
export function makeDocument(
  { percent, ...facts }: ReleaseFacts,
  selection: Selection,
  urlOf: (choice: Choice) => string,
  patchesOf: (choice: Choice, triple: string) => readonly PatchEntry[],
): Json {
  const platforms: Record<string, Json> = {};
  for (const [triple, choices] of selection) {
    platforms[triple] = {
      files: choices.map((choice): Json => {
        const { target, from, piece } = choice;
        const patches = patchesOf(choice, triple);
        return {
          target,
          url: urlOf(choice),
          size: from.digest.size,
          sha256: from.digest.sha256,
          ...(piece.member !== undefined && {
            member: piece.member,
            executable: { size: piece.digest.size, sha256: piece.digest.sha256 },
          }),
          ...(piece.kind === "library" && { run: false }),
          ...(patches.length > 0 && { patches: patches.map((patch): Json => ({ ...patch })) }),
        };
      }),
    };
  }
  return { schema: 1, ...facts, ...(percent !== undefined && { rollout: { percent } }), platforms };
}

/** JSON with sorted keys and a final line end. */
export function writeJson(value: Json): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value as Record<string, Json | undefined>)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .toSorted(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
