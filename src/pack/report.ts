/** What each file was taken for, and what came out, for the author. */
import { format } from "@std/fmt/bytes";
import type { Manifest } from "../release/manifest.ts";
import { visible } from "../output/text.ts";
import type { OpenedArtifact } from "./contents.ts";
import type { Layout } from "./layout.ts";
import type { Refusals } from "./refusals.ts";
import type { Selection } from "./select.ts";

const bytes: (count: number) => string = format;

/** One line for each file of a folder. */
export function describeFolder(
  folder: string,
  layout: Layout,
  opened: readonly OpenedArtifact[],
  selection: Selection,
  refusals: Refusals,
): string {
  const rows = [
    ...layout.artifacts.map(({ name, triples }) => {
      const own = opened.find(({ artifact }) =>
        layout.artifacts.includes(artifact) && artifact.name === name
      );
      return [
        name,
        triples?.length === 0
          ? "there is no shim for this platform"
          : takenFor(own, selection, refusals),
      ];
    }),
    ...layout.unused.map(({ name, why }) => [name, `not used: ${why}`]),
  ].sort(([a], [b]) => a! < b! ? -1 : 1) as [string, string][];
  const width = Math.min(48, Math.max(...rows.map(([name]) => name.length)));
  return `${visible(folder)}: ${layout.kind}\n` +
    rows.map(([name, what]) => `  ${visible(name).padEnd(width)}  ${visible(what)}\n`).join("") +
    describeConfigurations(opened.filter(({ artifact }) => layout.artifacts.includes(artifact)));
}

function takenFor(
  opened: OpenedArtifact | undefined,
  selection: Selection,
  refusals: Refusals,
): string {
  if (!opened) return "refused, see below";
  const { artifact, pieces } = opened;
  const uses = [...selection].flatMap(([triple, choices]) => {
    const targets = choices.filter(({ from }) => from.artifact === artifact)
      .map(({ target }) => target);
    return targets.length > 0 ? [{ triple, targets: targets.join(", ") }] : [];
  });
  const [first] = uses;
  if (first) return `${uses.map(({ triple }) => triple).join(", ")}: ${first.targets}`;
  if (pieces.length === 0) return "not used: no executable in it";
  if (refusals.isAbout(artifact.name)) return "refused, see below";
  const digests = pieces.map(({ digest }) => digest.sha256);
  const other = [...selection.values()].flat()
    .find(({ piece }) => digests.includes(piece.digest.sha256));
  if (other) return `not used: "${other.from.artifact.name}" has the same executable`;
  const names = [...new Set(pieces.map(({ name }) => `"${name}"`))].join(", ");
  return `not used: ${names} is not what the tool consists of (--executable NAME takes one)`;
}

/** A shim does not install them, and without one it knows nothing of the tool. */
function describeConfigurations(opened: readonly OpenedArtifact[]): string {
  return [...new Set(opened.flatMap(({ configurations }) => configurations))].sort()
    .map((name) =>
      `  ${
        visible(name)
      }: in the archive, but not an executable; an installer has to put it there\n`
    ).join("");
}

/** The last lines. `keyId`: null where nothing was signed. */
export function describeResult(path: string, manifest: Manifest, keyId: string | null): string {
  const { name, version, platforms, expires, rollout } = manifest;
  const lines = Object.entries(platforms).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([triple, { files }]) => {
      const downloads = new Map(files.map(({ sha256, size }) => [sha256, size]));
      const total = [...downloads.values()].reduce((sum, size) => sum + size, 0);
      return `  ${triple.padEnd(28)} ${files.map(({ target }) => target).join(", ")} (${
        bytes(total)
      })\n`;
    });
  const limits = [
    ...(expires === undefined ? [] : [`expires ${expires}`]),
    ...(rollout === undefined ? [] : [`offered to ${rollout.percent} % of the installations`]),
  ];
  return `Wrote ${visible(path)}: ${name} ${version}\n${lines.join("")}` +
    (limits.length > 0 ? `  ${limits.join("; ")}\n` : "") +
    (keyId === null
      ? "Not signed: --sign KEYFILE signs it.\n"
      : `Wrote ${visible(path)}.minisig, by key ${keyId}\n`);
}
