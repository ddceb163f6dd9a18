/** Installs without a network: a file of the user's (`--from`), or the rollback copy. */
import { basename, join, resolve } from "node:path";
import { copyFile, isThere, realPath, removeIfThere } from "../files/durable_files.ts";
import { digestFileInBackground } from "../files/digest.ts";
import { UpdateError } from "../base/errors.ts";
import { isPlainName, PLAIN_NAME } from "../base/file_names.ts";
import { ownExecutable } from "./file_state.ts";
import { claim, refuseOriginals } from "./names_in_use.ts";
import type { InstallDir } from "../installation/install_dir.ts";
import { examine } from "../files/executable_format.ts";
import { onFile } from "../files/fs_errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { findInstalled, inSet, mainOf, nextReceipt } from "./installed.ts";
import { fillAll, Staging } from "../transaction/transaction.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { holds } from "../transaction/swap.ts";
import { resolveTarget } from "../installation/targets.ts";

/** What `--from` installs, and as what. */
export interface LocalFile {
  /** Absolute, or relative to the current folder. */
  readonly from: string;
  /** Default: the file's own name. */
  readonly target: string | undefined;
  readonly healthCheck: HealthCheck;
  /** A name that is in use is taken over. */
  readonly force: boolean;
}

/** The same swap for a local file, which is copied: it may be deleted afterwards. */
export async function installLocal(
  session: Session,
  { from, target: name, healthCheck, force }: LocalFile,
  stop: AbortSignal,
): Promise<void> {
  const { system, dir, report } = session;
  const { fs } = system;
  const source = resolve(system.cwd, from);
  const file = onFile("read", source, () => {
    try {
      return realPath(fs, source);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return source; // or a pipe, such as /dev/stdin
      throw error;
    }
  });
  const { completeness, format } = examine(fs, file);
  const text = format === "unknown" && system.os !== "windows";
  if (completeness !== "complete" || text) {
    throw new UpdateError(
      completeness === "missing" ? "filesystem" : "verification",
      `Cannot install "${source}": it is ${
        completeness === "complete"
          ? "neither an executable nor a script with #!"
          : said(completeness)
      }`,
      {
        path: source,
        hint: "Name a complete executable with --from.",
      },
    );
  }
  const mode = fs.statSync(file).mode ?? 0o755;
  requireTarget(session, source, name);
  const target = resolveTarget(system, dir, plainName(dir, name ?? basename(source)));
  if (target.path === file) {
    throw new UpdateError("usage", `Cannot install "${source}" over itself`, {
      path: source,
      hint: "Name another file with --from, or another name with --target.",
    });
  }
  if (!force && target.path === ownExecutable(session)) {
    throw new UpdateError("usage", `"${target.path}" is the updater itself`, {
      path: target.path,
      hint: "Name the tool's executable with --target. With --force the updater is replaced.",
    });
  }
  const before = await findInstalled(session, [target], healthCheck, true);
  if (!force) refuseOriginals(session, [target], before.receipt);
  const wanted = await claim(
    session,
    [{
      executable: target,
      digest: null,
      // A file that was not executable says nothing about who may execute it.
      mode: (mode & 0o111) === 0 ? 0o755 : mode & 0o777,
      run: true,
    }],
    before,
    { force, healthCheck },
  );
  await using staging = Staging.begin(session, wanted, healthCheck);
  const filled = await fillAll(staging.files, async ({ staged }) => {
    await onFile("copy", file, () => {
      removeIfThere(fs, staged);
      copyFile(fs, file, staged, 0o700);
    });
    return await digestFileInBackground(fs, staged);
  }, stop);
  const staged = await staging.prove(filled, stop);
  const told = staging.versions.get(target.name) ?? null;
  // Another executable of the set does not say which version the tool is.
  const main = mainOf(before.receipt);
  const version = !main || main.name === target.name ? told : before.receipt?.version ?? null;
  const fields = {
    name: before.receipt?.name ?? null,
    version,
    release: null,
    highest: before.highest,
    rolledBack: before.receipt?.rolledBack ?? null,
  };
  const set = staged.map(inSet);
  const receipt = nextReceipt(session, before.receipt, fields, before, set, "kept");
  await staging.commit(staged, receipt, stop);
  report({ event: "updated", from: before.version, to: told ?? basename(source) });
}

/** Under its download's name a new version would lie beside the tool. Throws `usage`. */
function requireTarget({ system, dir }: Session, source: string, name?: string): void {
  const names = knownReceipt(readReceipt(system, dir))?.files.map((file) => file.name) ?? [];
  const own = basename(source);
  if (name !== undefined || names.length === 0 || names.includes(own)) return;
  const shown = names.filter((name) => own.startsWith(name));
  throw new UpdateError("usage", `"${own}" is the name of no executable that is installed`, {
    path: source,
    hint: `Which one is it? Name it: --target ${(shown.length > 0 ? shown : names).join(" or ")}`,
  });
}

/** The file's own name has to be one that a target may have, as `--target` has. */
function plainName({ path, config }: InstallDir, name: string): string {
  if (isPlainName(name) && join(path, name) !== config) return name;
  throw new UpdateError("usage", `Nothing can be installed as "${name}"`, {
    hint: `Say with --target how it is to be called: ${PLAIN_NAME}.`,
  });
}

function said(completeness: string): string {
  if (completeness === "broken") return "empty or cut off";
  return completeness === "missing" ? "missing" : "not a file";
}

/**
 * Swaps back to what the last update replaced; a second time swaps forward again. What the `user`
 * went back from is not offered again; what a `repair` had to go back from is.
 */
export async function rollBack(
  session: Session,
  healthCheck: HealthCheck,
  stop: AbortSignal,
  who: "user" | "repair" = "user",
): Promise<void> {
  const { system, dir, report } = session;
  const { fs } = system;
  const state = readReceipt(system, dir);
  if (state === "damaged") throw damagedReceipt(dir);
  const receipt = knownReceipt(state);
  if (!receipt?.rollback) {
    throw new UpdateError("usage", `There is no version to go back to in "${dir.path}"`, {
      path: dir.rollback,
      hint: "A rollback copy is kept by each update that replaces an executable.",
    });
  }
  const { rollback } = receipt;
  const wanted = rollback.files.map((copy) => {
    const { name, size, sha256 } = copy;
    const digest = { size, sha256 };
    return { copy, digest, executable: resolveTarget(system, dir, name), mode: 0o755, run: true };
  });
  const targets = wanted.map(({ executable }) => executable);
  refuseOriginals(session, targets, receipt);
  const before = await findInstalled(session, targets, healthCheck, true);
  // Whoever goes back means the whole set: what was changed in it is kept, and not asked.
  const judging = { force: false, healthCheck: false } as const;
  const claimed = await claim(session, wanted, before, judging);
  await using staging = Staging.begin(session, claimed, healthCheck);
  const filled = await fillAll(staging.files, async ({ name, digest, staged }) => {
    const copy = join(dir.rollback, name);
    if (!isThere(fs, copy) || !holds(fs, copy, digest)) throw spoilt(copy);
    await onFile("stage", copy, () => {
      removeIfThere(fs, staged);
      // No link: on Windows the old version may still be executing, and could not be synced.
      copyFile(fs, copy, staged, 0o700);
    });
    return digest;
  }, stop);
  const staged = await staging.prove(filled, stop);
  const { name, highest } = receipt;
  const { version, release } = rollback;
  const rolledBack = who === "user" ? before.version : null;
  const fields = { name, version, release, highest, rolledBack };
  const all = nextReceipt(session, receipt, fields, before, staged.map(inSet), "kept");
  // What was somebody else's is that again: no later update or uninstall takes it for ours.
  const isForeign = (name: string) =>
    rollback.files.some((copy) => copy.name === name && copy.foreign === true);
  const changed = { ...all, files: all.files.filter(({ name }) => !isForeign(name)) };
  // What was broken is no version that one could go forward to again.
  const next = who === "user" ? changed : { ...changed, rollback: null };
  await staging.commit(staged, next, stop);
  // A broken set cannot tell its version.
  const from = before.version ?? (who === "repair" ? receipt.version : null);
  report({ event: "rolled-back", from, to: version });
  for (const name of rollback.added ?? []) {
    const path = join(dir.path, name);
    // Where somebody else's file is back, there is nothing of the newer version.
    if (isForeign(name) || !isThere(fs, path)) continue;
    report({
      event: "warning",
      message: `"${path}" stays as it is: the version before did not have it`,
      path,
      hint: "The next update replaces it, --uninstall removes it.",
    });
  }
}

function spoilt(copy: string): UpdateError {
  return new UpdateError(
    "verification",
    `The rollback copy "${copy}" is missing or not what the last update put there`,
    { path: copy, hint: "Nothing was changed. Install the version you want with --pin or --from." },
  );
}

/** Without it nobody knows which copies are good, nor which files are the tool's. */
export function damagedReceipt({ receipt }: InstallDir): UpdateError {
  return new UpdateError(
    "filesystem",
    `The receipt "${receipt}" cannot be read: it does not say any more what is installed`,
    {
      path: receipt,
      hint: "Nothing was changed. Run an update with --force: it installs all anew and writes one.",
    },
  );
}
