/** Programs of this project as JavaScript that the Windows Deno can run. */
import { dirname, fromFileUrl, join } from "@std/path";
import { bundleInto, permissions } from "../../.ci/compile.ts";
import { windowsPath } from "./bed.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

const made = new Map<string, Promise<string>>();
let folder: string | undefined;

/** The Linux path of the bundle of a module (path from the project's folder), made once a process. */
export function bundleOf(entry: string): Promise<string> {
  const known = made.get(entry);
  if (known) return known;
  const bundle = bundleInto(join(ROOT, entry), join(scratch(), `${made.size}`), TARGET)
    .then(([first]) => first!);
  made.set(entry, bundle);
  return bundle;
}

function scratch(): string {
  if (folder !== undefined) return folder;
  const made = folder = Deno.makeTempDirSync({ prefix: "updater-shim-windows-" });
  addEventListener("unload", () => Deno.removeSync(made, { recursive: true }));
  return made;
}

/** The arguments with which a Windows Deno is the shim, with the permissions that it is built with. */
export async function shimArgs(...args: string[]): Promise<string[]> {
  const bundle = windowsPath(await bundleOf("main.ts"));
  return ["run", ...permissions(TARGET), "--no-prompt", "--no-config", bundle, ...args];
}

/** The arguments with which it is a program of the folder `programs` that uses the project's code. */
export async function programArgs(name: string, ...args: string[]): Promise<string[]> {
  const bundle = windowsPath(await bundleOf(`tests/windows/programs/${name}.ts`));
  return ["run", "-A", "--no-config", bundle, ...args];
}

/** What the Windows Deno calls its platform. */
export const TARGET = "x86_64-pc-windows-msvc";
