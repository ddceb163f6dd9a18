/** Shims that are broken on purpose: a model that does not see these sees nothing. */
import { dirname, fromFileUrl, join, toFileUrl } from "@std/path";
import type { World } from "./world.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** A change of one place of the sources. */
interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What each does, and how it comes to that. */
export const SABOTAGES: Record<string, readonly Change[]> = {
  "overwrites what its tool did not install": [{
    file: "src/commands/names_in_use.ts",
    from: "if (inUse && !judging.force) throw nameInUse(session, one.executable, owner);",
    to: "if (inUse && owner) throw nameInUse(session, one.executable, owner);",
  }],
  "uninstalls whatever has a name of the tool's": [{
    file: "src/commands/uninstall.ts",
    from: " && holds(fs, path, file);",
    to: ";",
  }],
  "trusts any X.previous": [
    {
      file: "src/transaction/plan.ts",
      from: "hidden: isThere(fs, namesBeside(path, transaction).previous)",
      to: "hidden: false",
    },
    {
      file: "src/transaction/swap.ts",
      from: "return isSecondName(fs, previous, target) || holds(fs, previous, old);",
      to: "return true;",
    },
    {
      file: "src/transaction/tidy.ts",
      from: "wanted.get(name)?.sha256 === old.sha256 && isOld(file)",
      to: "wanted.get(name)?.sha256 === old.sha256",
    },
  ],
  "leaves an interrupted set as it is": [{
    file: "src/transaction/carry_out.ts",
    from: "  await replaceAll(session, rest);\n",
    to: "",
  }],
};

/** The program with these changes, loaded into this one. */
export async function brokenShim(changes: readonly Change[]): Promise<World["shim"]> {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-broken-" });
  try {
    copySources(join(ROOT, "src"), join(folder, "src"));
    for (const { file, from, to } of changes) {
      const path = join(folder, file);
      const text = Deno.readTextFileSync(path);
      if (text.split(from).length !== 2) {
        throw new Error(`"${from}" does not stand in ${file} exactly once`);
      }
      Deno.writeTextFileSync(path, text.replace(from, () => to));
    }
    const { run } = await import(toFileUrl(join(folder, "src", "run.ts")).href);
    return run;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function copySources(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copySources(join(from, name), join(to, name));
    else Deno.copyFileSync(join(from, name), join(to, name));
  }
}
