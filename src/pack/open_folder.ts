/** Looks into every file of a folder that could be for a shim, and compares the noted digests. */
import { join } from "@std/path";
import { digestsOf } from "./digests.ts";
import { openArtifact, type OpenedArtifact } from "./contents.ts";
import type { Layout } from "./layout.ts";
import type { PackSystem } from "./pack_system.ts";
import type { Refusals } from "./refusals.ts";

/** `scratch` has to be empty, and holds what was unpacked. Refusals are collected. */
export async function openFolder(
  system: PackSystem,
  layout: Layout,
  scratch: string,
  refusals: Refusals,
  stop: AbortSignal,
): Promise<readonly OpenedArtifact[]> {
  const opened: OpenedArtifact[] = [];
  for (const artifact of layout.artifacts.filter(({ triples }) => triples?.length !== 0)) {
    stop.throwIfAborted();
    const folder = join(scratch, `${opened.length}`);
    system.fs.mkdirSync(folder);
    const found = await refusals.attempt(() => openArtifact(system, artifact, folder));
    if (!found) {
      system.fs.removeSync(folder, { recursive: true });
      continue;
    }
    checkDigest(found, layout, refusals);
    opened.push(found);
  }
  return opened;
}

/** A build's own checksum is of the file, or (as zellij publishes it) of the executable in it. */
function checkDigest(
  { artifact: { name }, digest, pieces }: OpenedArtifact,
  { digests }: Layout,
  refusals: Refusals,
): void {
  const found = [digest.sha256, ...pieces.map((piece) => piece.digest.sha256)];
  for (const { sha256, by } of digestsOf(name, digests)) {
    if (found.includes(sha256)) continue;
    refusals.add(
      "verification",
      `"${name}" is not what "${by}" says: SHA-256 ${digest.sha256} instead of ${sha256}`,
      `One of the two is of another build: make both anew, or leave it out: --exclude "${name}"`,
    );
  }
}
