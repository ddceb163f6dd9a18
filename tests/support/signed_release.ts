/** An install dir, a server of signed releases, and the whole program run between them. */
import { join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import { run } from "../../src/run.ts";
import type { System } from "../../src/system/system.ts";
import { manifestFor, serve, type Served } from "./shim.ts";
import { bytes, createSigner, type Signer, type SignOptions } from "./signer.ts";
import { tool } from "./world.ts";

/** How a run ended. */
export interface Outcome {
  readonly code: number;
  /** What the tool answers afterwards. */
  readonly tool: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Ends with its folder and its server. */
export interface Bed extends AsyncDisposable {
  readonly folder: string;
  readonly manifest: string;
  readonly author: Signer;
  /** What is served, by path; a document that is not there is a 404. */
  readonly served: Map<string, Uint8Array>;
  /** Publishes a release of the tool, signed unless `by` is null. */
  publish(release: Release): Promise<void>;
  /** Runs an update with the author's key configured; `change` exchanges parts of the system. */
  update(args?: readonly string[], change?: Partial<System>): Promise<Outcome>;
}

/** A release, as somebody publishes it. */
export interface Release extends SignOptions {
  readonly version: string;
  /** Default: a script that answers with the version. */
  readonly content?: string;
  /** Fields of the manifest instead of the right ones. */
  readonly change?: Record<string, unknown>;
  /** Default: the author. */
  readonly by?: Signer | null;
}

/** Version 1.0.0 of the tool is installed. */
export async function makeBed(): Promise<Bed> {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  Deno.writeTextFileSync(join(folder, "tool"), tool("1.0.0"), { mode: 0o755 });
  const author = await createSigner();
  const served = new Map<string, Uint8Array>();
  const answer = ({ url }: Request) => {
    const content = served.get(new URL(url).pathname);
    return content ? new Response(content.slice()) : new Response(null, { status: 404 });
  };
  const paths = ["/release.json", "/release.json.minisig", "/files/tool", "/files/tool.tar.gz"];
  const server = serve(Object.fromEntries(paths.map((path) => [path, answer])));
  const manifest = `${server.url}/release.json`;
  return {
    folder,
    manifest,
    author,
    served,
    async publish({ version, content = tool(version), change, by = author, ...options }) {
      const file: Served = { target: "tool", content: bytes(content) };
      const document = bytes(JSON.stringify(manifestFor([file], { version, ...change })));
      served.set("/files/tool", file.content);
      served.set("/release.json", document);
      served.delete("/release.json.minisig");
      if (by) served.set("/release.json.minisig", await by.sign(document, options));
    },
    update: (args = [], change = {}) =>
      runProgram(folder, ["--public-key", author.publicKey, ...args], manifest, change),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The program in this process, with its text caught. */
export async function runProgram(
  folder: string,
  args: readonly string[],
  manifest?: string,
  change: Partial<System> = {},
): Promise<Outcome> {
  let stdout = "", stderr = "";
  const terminal = {
    ...denoSystem.terminal,
    isTerminal: false,
    out: (text: string) => void (stdout += text),
    err: (text: string) => void (stderr += text),
  };
  const system = { ...denoSystem, terminal, onStopSignal() {}, ...change };
  const location = manifest === undefined || args.includes("--manifest")
    ? []
    : ["--manifest", manifest];
  const code = await run(["--install-dir", folder, ...location, ...args], system);
  const { stdout: said } = await new Deno.Command(join(folder, "tool")).output();
  return { code, tool: new TextDecoder().decode(said).trim(), stdout, stderr };
}
