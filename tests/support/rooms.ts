/**
 * Which room of `src/` may import from which: the order in which the code flows. The lint plugin
 * and a test read it.
 */

/**
 * Each room, or file beside the rooms, and what it may import besides itself. Only what stands above
 * a row may stand in it, so that there can be no circle of rooms.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = withFoundation({
  "files": [],
  "archive": ["files"],
  "transfer": ["files"],
  "patch": ["files"],
  "installation": ["files"],
  "session.ts": ["installation"],
  "parent": ["files", "session.ts"],
  "orphans": ["files", "installation", "session.ts"],
  "output": ["files", "installation", "session.ts"],
  "transaction": ["files", "patch", "installation", "session.ts", "orphans"],
  "release": [
    ...["files", "archive", "transfer", "patch", "installation", "session.ts", "transaction"],
  ],
  "cli": ["files", "installation", "output"],
});

/** Of types only: whatever imports it says `import type`. */
export const TYPES_ONLY: readonly string[] = ["src/session.ts", "src/base/events.ts"];

/** Everything may import from the foundation; the doors of the two programs, from all below them. */
function withFoundation(
  middle: Record<string, readonly string[]>,
): Record<string, readonly string[]> {
  const rooms: Record<string, readonly string[]> = {
    "adopt.ts": [],
    "base": [],
    "system": ["base"],
  };
  for (const [room, below] of Object.entries(middle)) rooms[room] = ["base", "system", ...below];
  const all = ["base", "system", ...Object.keys(middle)];
  rooms["commands"] = rooms["pack"] = all;
  rooms["change.ts"] = [...all, "commands"];
  rooms["work.ts"] = [...all, "commands", "change.ts"];
  rooms["run.ts"] = [...all, "work.ts"];
  return rooms;
}

/** `src/ROOM/FILE` of any path in `src/`, with slashes; undefined for every other. */
export function inSource(path: string): string | undefined {
  return /(?:^|\/)(src\/.+)$/.exec(path.replaceAll("\\", "/"))?.[1];
}

/** Why `from` may not import `to` (as `inSource` gives them); undefined where it may. */
export function whyNot(from: string, to: string, typesOnly: boolean): string | undefined {
  if (TYPES_ONLY.includes(to) && !typesOnly) return `${to} is of types only: import type.`;
  const [room, other] = [roomOf(from), roomOf(to)];
  const allowed = ROOMS[room];
  if (!allowed) return `The room ${room} is not in the table of tests/support/rooms.ts.`;
  if (room === other || allowed.includes(other)) return undefined;
  return `The room ${room} may not import from ${other}: see tests/support/rooms.ts.`;
}

function roomOf(path: string): string {
  return path.split("/")[1]!;
}
