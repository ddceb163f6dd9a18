/** Releases in archives, as most are: their time beside the usual programs', and their memory. */
import { join } from "@std/path";
import { inTurn, median, ratio, type Row } from "./bench_figures.ts";
import { type Bench, describe, material, type Release } from "./bench_material.ts";
import { peakKiB, prepareMemory, timed } from "./bench_process.ts";
import { serve } from "./bench_server.ts";
import { cacheFolder } from "./pinned_runtime.ts";
import { runProgram } from "./run_program.ts";

const ROUNDS = 5;
const MEMBER = "tool-1.0.0/deno";
const MEMORY_LIMIT = 35e6;

interface Kind {
  /** How release tools make it, in the folder that holds `tool-1.0.0`. */
  readonly pack: string;
  /** How a script unpacks it. */
  readonly unpack: string;
  /** Most times as long as the script. */
  readonly most: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "tar.gz": { pack: "tar czf", unpack: "tar xzf", most: 1.15 },
  "zip": { pack: "zip -qr", unpack: "unzip -qo", most: 1.15 },
  "tar.zst": { pack: "tar -I 'zstd -19' -cf", unpack: "tar -I zstd -xf", most: 1.3 },
  // What cargo-dist makes.
  "tar.xz": { pack: "tar -I 'xz -9' -cf", unpack: "tar xJf", most: 2 },
};

/** Two rows for each kind. */
export async function archives(bench: Bench): Promise<Row[]> {
  const { large } = await material();
  const idle = await peakKiB(bench.shim, ["--version"]);
  const rows: Row[] = [];
  for (const [name, kind] of Object.entries(KINDS)) {
    const archive = await packed(large, name, kind);
    await using server = await serve(bench.folder, archive, {
      name: `new.${name}`,
      entry: { member: MEMBER, executable: { size: large.size, sha256: large.sha256 } },
    });
    rows.push(
      await time(bench, { name, kind, executable: large }, server),
      await memory(bench, name, server.manifest, idle),
    );
  }
  return rows;
}

async function time(
  { folder, shim }: Bench,
  { name, kind, executable }: { name: string; kind: Kind; executable: Release },
  server: { readonly manifest: string; readonly file: string },
): Promise<Row> {
  const installed = join(folder, "installed");
  const script = `set -e; cd "$1"; curl -sS -o archive "$2"; openssl dgst -sha256 archive >sum
    ${kind.unpack} archive ${name === "zip" ? "" : MEMBER}; chmod 755 ${MEMBER}; sync ${MEMBER}
    mv ${MEMBER} deno; rm -r sum archive tool-1.0.0`;
  const contestant = (run: () => Promise<number>) => async () => {
    Deno.mkdirSync(installed);
    await prepareMemory();
    const ms = await run();
    if (Deno.statSync(join(installed, "deno")).size !== executable.size) {
      throw new Error(`the .${name} was not unpacked`);
    }
    Deno.removeSync(installed, { recursive: true });
    return ms;
  };
  const [ours, theirs] = await inTurn(ROUNDS, [
    contestant(() =>
      timed(shim, ["--install-dir", installed, "--manifest", server.manifest, "--quiet"])
    ),
    contestant(() => timed("sh", ["-c", script, "sh", installed, server.file])),
  ]) as [number[], number[]];
  const { text, met } = ratio(ours, theirs, kind.most);
  return {
    what: `update from a \`.${name}\` of 95 MB`,
    ours: `${median(ours).toFixed(0)} ms`,
    beside: `${
      median(theirs).toFixed(0)
    } ms: curl, openssl, \`${kind.unpack}\`, sync, mv (${text})`,
    target: `at most ${kind.most} times`,
    met,
  };
}

async function memory({ folder, shim }: Bench, name: string, manifest: string, idle: number) {
  const peaks: number[] = [];
  for (let round = 0; round < 3; round++) {
    const installed = Deno.makeTempDirSync({ dir: folder });
    const args = ["--install-dir", installed, "--manifest", manifest, "--quiet"];
    peaks.push(await peakKiB(shim, args));
    Deno.removeSync(installed, { recursive: true });
  }
  const more = (median(peaks) - idle) * 1024;
  return {
    what: `peak memory of an update from a \`.${name}\``,
    ours: `${(median(peaks) / 1024).toFixed(1)} MiB`,
    beside: `${(idle / 1024).toFixed(1)} MiB idle (${(more / 1e6).toFixed(1)} MB more)`,
    target: `at most ${MEMORY_LIMIT / 1e6} MB more`,
    met: more <= MEMORY_LIMIT,
  };
}

/** Made once, and kept: `xz -9` takes a minute. */
async function packed(executable: Release, name: string, { pack }: Kind): Promise<Release> {
  const path = `${executable.path}.${name}`;
  try {
    return describe(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const folder = Deno.makeTempDirSync({ dir: join(cacheFolder(), "bench") });
  try {
    const script = `mkdir tool-1.0.0 && cp "$1" ${MEMBER} && chmod 755 ${MEMBER} &&
      echo read me >tool-1.0.0/README && ${pack} archive.${name} tool-1.0.0`;
    await runProgram("sh", ["-c", script, "sh", executable.path], { cwd: folder });
    Deno.renameSync(join(folder, `archive.${name}`), path);
    return describe(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
