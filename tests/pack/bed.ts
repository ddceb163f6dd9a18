/** Executables made of a few bytes of header, archives of them, and a run of the maker on a folder. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { dirname, join } from "@std/path";
import { denoPackSystem } from "../../src/pack/deno_pack_system.ts";
import type { PackSystem } from "../../src/pack/pack_system.ts";
import { runPack } from "../../src/pack/run_pack.ts";
import { bytes, tar, zip } from "../support/archive_corpus.ts";

/** The processors that headers are made for. */
export type Arch = "x86_64" | "aarch64" | "i686";

/** A complete ELF file without sections; `libc` gives it the interpreter of one. */
export function elf(arch: Arch, { libc = "", body = "1" } = {}): Uint8Array<ArrayBuffer> {
  const interpreter = { gnu: "/lib64/ld-linux.so.2\0", musl: "/lib/ld-musl.so.1\0" }[libc] ?? "";
  const view = new DataView(new ArrayBuffer(64 + 56));
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2);
  view.setUint8(5, 1);
  view.setUint16(16, 2, true);
  view.setUint16(18, { x86_64: 62, aarch64: 183, i686: 3 }[arch], true);
  view.setBigUint64(0x20, 64n, true);
  view.setUint16(0x36, 56, true);
  view.setUint16(0x38, interpreter ? 1 : 0, true);
  view.setUint32(64, 3, true);
  view.setBigUint64(64 + 8, 120n, true);
  view.setBigUint64(64 + 32, BigInt(interpreter.length), true);
  return concat(new Uint8Array(view.buffer), encode(interpreter), encode(body));
}

/** A complete PE file without sections. */
export function pe(arch: Arch, { dll = false, body = "1" } = {}): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(256));
  view.setUint16(0, 0x4d5a);
  view.setUint32(0x3c, 64, true);
  view.setUint32(64, 0x50450000);
  view.setUint16(68, { x86_64: 0x8664, aarch64: 0xaa64, i686: 0x14c }[arch], true);
  view.setUint16(64 + 22, dll ? 0x2000 : 0, true);
  view.setUint16(64 + 24, 0x20b, true);
  return concat(new Uint8Array(view.buffer), encode(body));
}

/** A complete Mach-O file without commands. */
export function macho(arch: Arch, { library = false, body = "1" } = {}): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(32));
  view.setUint32(0, 0xcffaedfe);
  view.setUint32(4, { x86_64: 0x01000007, aarch64: 0x0100000c, i686: 7 }[arch], true);
  view.setUint32(12, library ? 6 : 2, true);
  return concat(new Uint8Array(view.buffer), encode(body));
}

/** A Mach-O file for both processors (`lipo -create`). */
export function universal(body = "1"): Uint8Array<ArrayBuffer> {
  const parts = [macho("x86_64", { body }), macho("aarch64", { body })];
  const view = new DataView(new ArrayBuffer(8 + 40));
  view.setUint32(0, 0xcafebabe);
  view.setUint32(4, 2);
  let at = 48;
  for (const [index, part] of parts.entries()) {
    view.setUint32(8 + index * 20, [0x01000007, 0x0100000c][index]!);
    view.setUint32(8 + index * 20 + 8, at);
    view.setUint32(8 + index * 20 + 12, part.length);
    at += part.length;
  }
  return concat(new Uint8Array(view.buffer), ...parts);
}

/** The usual executable of a triple. */
export function executableFor(triple: string, body = "1"): Uint8Array<ArrayBuffer> {
  const arch = triple.startsWith("aarch64") ? "aarch64" : "x86_64";
  if (triple.includes("windows")) return pe(arch, { body });
  return triple.includes("darwin") ? macho(arch, { body }) : elf(arch, { body });
}

/** A `.tar.gz`; executables by their content's mode: everything is 0755 but texts. */
export function tarGz(files: Record<string, Uint8Array | string>): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(files).map(([name, content]) => ({
    name,
    content,
    ...(typeof content === "string" && !content.startsWith("#!") && { mode: "0000644\0" }),
  }));
  return new Uint8Array(gzipSync(tar(...entries)));
}

/** A `.zip` as Windows tools make it, without modes. */
export function zipped(files: Record<string, Uint8Array | string>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zip(Object.entries(files).map(([name, content]) => ({ name, content }))));
}

/** Lower-case hex. */
export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** UTF-8. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return bytes(...parts);
}

/** How a run ended. */
export interface PackRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of a build. */
export class Build implements Disposable {
  readonly folder: string = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "pack-" }));

  constructor(files: Record<string, Uint8Array | string> = {}) {
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: Uint8Array | string): string {
    Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
    Deno.writeFileSync(this.path(name), typeof content === "string" ? encode(content) : content);
    return this.path(name);
  }

  /** Runs the maker in this process; `change` exchanges parts of the system. */
  async run(args: readonly string[], change: Partial<PackSystem> = {}): Promise<PackRun> {
    let stdout = "", stderr = "";
    const code = await runPack(args, {
      ...denoPackSystem,
      cwd: this.folder,
      env: () => undefined,
      isInteractive: false,
      onStopSignal() {},
      ...change,
      terminal: {
        ...denoPackSystem.terminal,
        out: (text) => void (stdout += text),
        err: (text) => void (stderr += text),
      },
    });
    return { code, stdout, stderr };
  }

  /** Packs this folder. */
  pack(...args: string[]): Promise<PackRun> {
    return this.run([this.folder, ...args]);
  }

  // deno-lint-ignore no-explicit-any
  manifest(name = "release.json"): any {
    return JSON.parse(Deno.readTextFileSync(this.path(name)));
  }

  /** Undefined where nothing was written. */
  manifestIfAny(): unknown {
    try {
      return this.manifest();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}
