/**
 * `deno task outdated [--update]`: what is pinned (Deno, packages, actions), and what is newest.
 * `--update` writes the newest into every file that names the old one, and shows the difference;
 * `deno task check` and the tests then say whether it works. What cannot be asked is said.
 */
import { dirname, fromFileUrl, join } from "@std/path";
import { greaterThan, parse } from "@std/semver";
import { runProgram } from "./run_program.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** Something whose version stands in the project's files. */
export interface Pin {
  readonly kind: "deno" | "npm" | "jsr" | "action";
  readonly name: string;
  readonly version: string;
}

/** A newer one; of an action, the commit too. */
export interface Newest {
  readonly version: string;
  readonly digest?: string;
}

/** Files that may hold pins, by their paths below the root. */
export function pinnedFiles(root = ROOT): string[] {
  const workflows = ".github/workflows";
  return [
    ...["deno.json", "jsr.json", ".ci/run", "README.md"],
    ...[...Deno.readDirSync(join(root, ".github"))].filter(({ isFile }) => isFile)
      .map(({ name }) => `.github/${name}`),
    ...[...Deno.readDirSync(join(root, workflows))].map(({ name }) => `${workflows}/${name}`),
    ".github/actions/pack/action.yml",
  ].filter((path) => !path.endsWith(".svg"));
}

const NUMBER = String.raw`\d+\.\d+\.\d+`;
const PATTERNS: Readonly<Record<Pin["kind"], RegExp>> = {
  deno: new RegExp(`(?<![/\\w-])deno@(?<version>${NUMBER})|DENO_VERSION: (?<other>${NUMBER})`, "g"),
  npm: new RegExp(`npm:(?<name>(?:@[\\w-]+/)?[\\w-]+)@(?<version>${NUMBER})`, "g"),
  jsr: new RegExp(`jsr:(?<name>@[\\w-]+/[\\w-]+)@(?<version>${NUMBER})`, "g"),
  action: new RegExp(`uses: (?<name>[\\w-]+/[\\w-]+)@[0-9a-f]{40} # v(?<version>${NUMBER})`, "g"),
};

/** Every pin in a text, each once. */
export function pinsIn(text: string): Pin[] {
  const pins = new Map<string, Pin>();
  for (const [kind, pattern] of Object.entries(PATTERNS) as [Pin["kind"], RegExp][]) {
    for (const { groups } of text.matchAll(pattern)) {
      const name = groups!.name ?? "deno";
      const version = (groups!.version ?? groups!.other)!;
      pins.set(`${kind} ${name} ${version}`, { kind, name, version });
    }
  }
  return [...pins.values()];
}

/** The text with the newest version, and of an action the newest digest, in place of the pinned. */
export function update(text: string, pin: Pin, newest: Newest): string {
  return text.replaceAll(PATTERNS[pin.kind], (all, ...rest) => {
    const groups = rest.at(-1) as { name?: string; version?: string; other?: string };
    const version = groups.version ?? groups.other;
    if ((groups.name ?? "deno") !== pin.name || version !== pin.version) return all;
    const fresh = all.slice(0, all.length - version.length) + newest.version;
    return newest.digest ? fresh.replace(/@[0-9a-f]{40}/, `@${newest.digest}`) : fresh;
  });
}

async function newestOf({ kind, name }: Pin): Promise<Newest> {
  if (kind === "action") return await newestAction(name);
  if (kind === "jsr") {
    const response = await fetch(`https://jsr.io/${name}/meta.json`);
    return { version: (await response.json() as { latest: string }).latest };
  }
  return { version: await runProgram("npm", ["view", name, "version"], { timeoutMs: 60_000 }) };
}

/** From the tags: of an annotated one the commit stands in a line of its own, with `^{}`. */
async function newestAction(name: string): Promise<Newest> {
  const url = `https://github.com/${name}`;
  const text = await runProgram("git", ["ls-remote", "--tags", url], { timeoutMs: 60_000 });
  let newest: Newest = { version: "0.0.0" };
  for (
    const [, digest, version] of text.matchAll(
      /^(\w{40})\s+refs\/tags\/v(\d+\.\d+\.\d+)(?:\^\{\})?$/gm,
    )
  ) {
    if (!greaterThan(parse(newest.version), parse(version!))) {
      newest = { version: version!, digest: digest! };
    }
  }
  return newest;
}

async function main(write: boolean): Promise<void> {
  const files = pinnedFiles();
  const texts = new Map(files.map((path) => [path, Deno.readTextFileSync(join(ROOT, path))]));
  for (const pin of pinsIn([...texts.values()].join("\n"))) {
    const label = `${pin.kind} ${pin.name}`.padEnd(46);
    try {
      const newest = await newestOf(pin);
      const newer = greaterThan(parse(newest.version), parse(pin.version));
      console.log(`${label} ${pin.version}${newer ? ` -> ${newest.version}` : ""}`);
      if (newer) { for (const [path, text] of texts) texts.set(path, update(text, pin, newest)); }
    } catch {
      console.log(`${label} ${pin.version} (what is newest cannot be asked from here)`);
    }
  }
  if (!write) return;
  for (const [path, text] of texts) Deno.writeTextFileSync(join(ROOT, path), text);
  // It is written anew for these versions by the next command.
  await runProgram(Deno.execPath(), ["install", "--entrypoint", "main.ts"], { cwd: ROOT });
  console.log(await runProgram("git", ["diff", "--", ...files, "deno.lock"], { cwd: ROOT }));
}

if (import.meta.main) await main(Deno.args.includes("--update"));
