/** `--merge`: one manifest of several, which were made on separate machines. */
import { resolve } from "@std/path";
import { UpdateError } from "../base/errors.ts";
import { parseManifest } from "../release/manifest.ts";
import { checkAsShim } from "./check_result.ts";
import { type Json, writeJson } from "./document.ts";
import { readText } from "./folder.ts";
import type { PackCommand } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";
import { describeResult } from "./report.ts";
import { signIfAsked } from "./sign_release.ts";
import { writeFile } from "./write_file.ts";

type MergeJob = Extract<PackCommand, { kind: "merge" }>;
type Document = Readonly<Record<string, Json | undefined>>;

/** Writes the whole, and its signature where asked. Throws `usage` where two parts disagree. */
export async function mergeManifests(system: PackSystem, job: MergeJob): Promise<void> {
  const { fs, cwd, clock, terminal } = system;
  const parts = job.manifests.map((path) => {
    const file = resolve(cwd, path);
    const text = readText(fs, file);
    if (text === undefined) throw new UpdateError("usage", `There is no manifest "${file}"`);
    parseManifest(new TextEncoder().encode(text), file);
    return { path, document: JSON.parse(text) as Document };
  });
  const whole = parts.slice(1).reduce(
    (sum, part) => mergeTwo(sum, part.document, part.path),
    parts[0]!.document,
  );
  const bytes = new TextEncoder().encode(writeJson(whole));
  const output = resolve(cwd, job.output ?? "release.json");
  const manifest = checkAsShim(bytes, output, clock.now());
  writeFile(fs, output, bytes, 0o644);
  const keyId = await signIfAsked(system, output, bytes, manifest, job.signing);
  terminal.out(describeResult(output, manifest, keyId));
}

/** Of the times the later publication and the earlier expiry count; all else has to be equal. */
export function mergeTwo(one: Document, other: Document, name: string): Document {
  const whole: Record<string, Json | undefined> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const own = one[key];
    if (key === "platforms") whole[key] = mergePlatforms(own, value, name);
    else if (own === undefined || same(own, value)) whole[key] = value;
    else if (key === "published") {
      whole[key] = Date.parse(`${own}`) > Date.parse(`${value}`) ? own : value;
    } else if (key === "expires") {
      whole[key] = Date.parse(`${own}`) < Date.parse(`${value}`) ? own : value;
    } else throw differ(key, own, value, name);
  }
  return whole;
}

function mergePlatforms(one: Json | undefined, other: Json | undefined, name: string): Json {
  const whole = { ...one as Document };
  for (const [triple, value] of Object.entries(other as Document)) {
    const own = whole[triple];
    if (own !== undefined && !same(own, value)) {
      throw new UpdateError(
        "usage",
        `"${name}" has other files for ${triple} than those before it`,
        {
          hint: "Give each platform once: leave one of the manifests out.",
        },
      );
    }
    whole[triple] = value;
  }
  return whole as Json;
}

function differ(key: string, own: Json, value: Json | undefined, name: string): UpdateError {
  const show = (json: Json | undefined) => JSON.stringify(json).slice(0, 100);
  return new UpdateError(
    "usage",
    `"${name}" says ${show(value)} for "${key}", those before it ${show(own)}`,
    { hint: "Make all of them with the same options." },
  );
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return a !== undefined && b !== undefined && writeJson(a) === writeJson(b);
}
