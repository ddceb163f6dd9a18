/** `--lint`: a published release as the shims of every platform will see it. */
import { join, resolve } from "@std/path";
import { refuseArchive } from "../archive/kinds.ts";
import { UpdateError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { isUrl, redactUrl } from "../base/url_policy.ts";
import { lookAt } from "../files/durable_files.ts";
import { examine, readHeader } from "../files/executable_format.ts";
import { checkIdentity, type ManifestFile, servingPlatforms } from "../release/manifest.ts";
import { visible } from "../output/text.ts";
import { isLibrary, readMachine } from "./machine.ts";
import type { PackCommand } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";
import { SHIM_TRIPLES, wrongMachine } from "./platforms.ts";
import { PublishedFiles, readPublished } from "./published_release.ts";
import { Refusals } from "./refusals.ts";

type LintJob = Extract<PackCommand, { kind: "lint" }>;

/** Fetches everything and says what is right. Throws everything that is not. */
export async function lintRelease(
  system: PackSystem,
  { location: given, publicKeys, name }: LintJob,
  signal: AbortSignal,
): Promise<void> {
  const { terminal, clock, fs } = system;
  // What the manifest names is found from where it lies.
  const location = isUrl(given) ? given : resolve(system.cwd, given);
  if (!isUrl(given) && lookAt(fs, location)?.isDirectory) {
    throw new UpdateError("usage", `"${given}" is a folder`, {
      hint: `Give the manifest: --lint ${join(given, "release.json")}`,
    });
  }
  const options = { system, allowHttp: false, signal };
  const release = await readPublished(location, publicKeys, options);
  const { manifest, signedBy } = release;
  terminal.out(
    `${visible(redactUrl(given))}: ${manifest.name} ${manifest.version}, ${
      signedBy === null ? "its signature was not looked at (--public-key)" : `signed by ${signedBy}`
    }\n`,
  );
  checkIdentity(manifest, { name, now: clock.now() });
  const refusals = new Refusals();
  const scratch = system.makeScratch();
  try {
    const files = new PublishedFiles(system, release, scratch, options);
    for (const triple of Object.keys(manifest.platforms).sort()) {
      for (const file of files.filesOf(triple)) {
        await refusals.attempt(() => checkFile(system, files, file, triple));
      }
    }
  } finally {
    fs.removeSync(scratch, { recursive: true });
  }
  const triples = Object.keys(manifest.platforms);
  tellWhatIsMissing(system, triples, manifest.expires);
  refusals.throwIfAny();
  if (triples.length === 0) {
    throw new UpdateError("verification", "It is for no platform: no shim can install it", {
      hint: "Pack again, with the release's files.",
    });
  }
  terminal.out(
    "Every shim that finds its platform here can install this release, if each executable\n" +
      'ends with code 0 when it is run with --version (or with the args of "healthCheck").\n',
  );
}

async function checkFile(
  { fs, terminal }: PackSystem,
  files: PublishedFiles,
  file: ManifestFile,
  triple: string,
): Promise<void> {
  const wrong = (what: string, hint: string) =>
    new UpdateError("verification", `"${file.target}" for ${triple} ${what}`, { hint });
  const refusal = refuseArchive(file.url, file.member);
  if (refusal) throw wrong(`cannot be installed: ${refusal.problem}`, refusal.hint);
  const { path } = await files.executable(file);
  const { completeness, format } = examine(fs, path);
  if (completeness !== "complete") throw wrong("is cut off", "Build it anew, then pack.");
  const machine = readMachine(readHeader(fs, path));
  const mismatch = machine && wrongMachine(machine, triple);
  if (mismatch) throw wrong(`is ${mismatch}`, "Pack again, from the right files.");
  if (file.run && !machine && format !== "script") {
    throw wrong("is no executable", "Pack again, from the right files.");
  }
  if (file.run && machine && isLibrary(machine, file.target)) {
    throw wrong("is a library, and would be tried as a program", 'Say so: "run": false.');
  }
  for (const patch of file.patches) await files.fetch(patch);
  const { length } = file.patches;
  const patches = length > 0 ? `, ${length} ${length === 1 ? "patch" : "patches"}` : "";
  terminal.out(`  ${triple.padEnd(28)} ${visible(file.target)}: right${patches}\n`);
}

/** No faults, but what an author may have forgotten. */
function tellWhatIsMissing(
  { terminal }: PackSystem,
  triples: readonly string[],
  expires: string | undefined,
): void {
  const served = (triple: string) =>
    servingPlatforms(triple).some((name) => triples.includes(name));
  const missing = SHIM_TRIPLES.filter((triple) => !served(triple));
  if (missing.length > 0) terminal.out(`  Nothing for: ${missing.join(", ")}\n`);
  const asked = SHIM_TRIPLES.flatMap(servingPlatforms);
  for (const triple of triples.filter((triple) => !asked.includes(triple))) {
    const meant = nearest(triple, asked);
    terminal.out(`  No shim asks for "${visible(triple)}". Is it ${meant}?\n`);
  }
  if (expires === undefined) {
    terminal.out('  No "expires": somebody could hold newer releases back from users for ever.\n');
  }
}
