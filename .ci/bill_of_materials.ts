/**
 * `deno run -A .ci/bill_of_materials.ts ENTRY NAME`: what an executable is made of, as CycloneDX 1.5
 * (https://cyclonedx.org): the packages that its source imports, with the digests of `deno.lock`, and
 * the runtime. The same source gives the same text.
 */
import { dirname, fromFileUrl, join } from "@std/path";
import { VERSION } from "../src/base/version.ts";
import { runProgram } from "./run_program.ts";
import { sourceTime } from "./source_time.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** One thing that is in the executable. */
export interface Component {
  readonly type: "library" | "platform";
  readonly name: string;
  readonly version: string;
  /** https://github.com/package-url/purl-spec */
  readonly purl: string;
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
  readonly hashes?: readonly { readonly alg: "SHA-512"; readonly content: string }[];
}

/** The document for one program, by its entry (a path below the root) and its name. */
export async function billOfMaterials(entry: string, name: string): Promise<string> {
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: (await sourceTime()).toISOString(),
      component: { type: "application", name, version: VERSION },
    },
    components: [runtime(), ...await packages(entry)],
  };
  return JSON.stringify(document, null, 2) + "\n";
}

/** The Deno that compiles is the one whose runtime gets embedded: releases take no other. */
function runtime(): Component {
  const { deno } = Deno.version;
  const purl = `pkg:github/denoland/deno@v${deno}`;
  return { type: "platform", name: "deno", version: deno, purl, licenses: license("MIT") };
}

interface Graph {
  readonly modules: readonly { readonly specifier: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, Package>>;
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly localPath: string;
}

async function packages(entry: string): Promise<Component[]> {
  const text = await runProgram(Deno.execPath(), ["info", "--json", entry], { cwd: ROOT });
  const graph = JSON.parse(text) as Graph;
  const wanted = new Set<string>();
  const want = (id: string) => {
    if (wanted.has(id)) return;
    wanted.add(id);
    graph.npmPackages[id]!.dependencies.forEach(want);
  };
  for (const { npmPackage } of graph.modules) if (npmPackage) want(npmPackage);
  return [
    ...[...wanted].sort().map((id) => fromNpm(id, graph.npmPackages[id]!)),
    ...fromJsr(graph),
  ];
}

function fromNpm(id: string, { name, version, localPath }: Package): Component {
  const described = JSON.parse(Deno.readTextFileSync(join(localPath, "package.json"))) as {
    readonly license?: string;
  };
  if (!described.license) throw new Error(`${id} does not say under which licence it is`);
  const lock = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.lock"))) as {
    readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
  };
  const { integrity } = lock.npm[id]!;
  const digest = Uint8Array.fromBase64(integrity.replace(/^sha512-/, "")).toHex();
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    licenses: license(described.license),
    hashes: [{ alg: "SHA-512", content: digest }],
  };
}

/** Where the standard library is imported from JSR (`use_jsr.ts`). */
function fromJsr({ modules }: Graph): Component[] {
  const found = modules.flatMap(({ specifier }) =>
    /^https:\/\/jsr\.io\/(@std\/[\w-]+)\/([\d.]+)\//.exec(specifier)?.slice(1, 3).join("@") ?? []
  );
  return [...new Set(found)].sort().map((id) => {
    const [, name, version] = /^(.+)@(.+)$/.exec(id) as unknown as [string, string, string];
    const purl = `pkg:jsr/${name.replace("@", "%40")}@${version}`;
    return { type: "library", name, version, purl, licenses: license("MIT") };
  });
}

function license(id: string): Component["licenses"] {
  return [{ license: { id } }];
}

if (import.meta.main) {
  const [entry, name] = Deno.args;
  if (!entry || !name) throw new Error("usage: bill_of_materials.ts ENTRY NAME");
  await Deno.stdout.write(new TextEncoder().encode(await billOfMaterials(entry, name)));
}
