/** `--download-only`: all of an update that needs the network. */
import type { Digest } from "../files/digest.ts";
import { onFile } from "../files/fs_errors.ts";
import {
  beginDownload,
  completeDownload,
  readDownloaded,
  readyPath,
} from "../release/downloaded.ts";
import type { ReleaseFile } from "../release/manifest.ts";
import type { ReleaseFiles } from "../release/release_files.ts";
import type { Session } from "../session.ts";
import type { Offer } from "./offer.ts";

/**
 * Fetches, unpacks and verifies what is offered, and keeps it for the next update. Cut short, what was
 * fetched is gone on with by the next run.
 */
export async function download(
  session: Session,
  { manifest, wanted, installed, document, location }: Offer,
  downloads: ReleaseFiles,
  stop: AbortSignal,
): Promise<void> {
  const { system: { fs }, dir, report } = session;
  const before = readDownloaded(session);
  const files = wanted.map(({ source }) => source);
  const ready: [ReleaseFile, Digest][] = [];
  for (const file of files) {
    const found = await before?.find(file);
    if (found) ready.push([file, found]);
  }
  beginDownload(session, ready.map(([file]) => file));
  for (const file of files) {
    if (ready.some(([{ target }]) => target === file.target)) continue;
    const staged = readyPath(dir, file);
    onFile(
      "write",
      staged,
      () => fs.openSync(staged, { write: true, createNew: true, mode: 0o600 }).close(),
    );
    ready.push([file, await downloads.fill(file, staged, stop)]);
  }
  completeDownload(session, location, document, ready);
  downloads.finish();
  report({ event: "downloaded", from: installed.version, to: manifest.version });
}
