/** A real tool in real versions: esbuild from npm. */
import { createHash } from "node:crypto";
import { join } from "@std/path";

/** One version, downloaded. */
export interface Release {
  readonly version: string;
  /** The npm package: a .tar.gz. */
  readonly archive: string;
  readonly size: number;
  readonly sha256: string;
  /** The executable, unpacked. */
  readonly executable: string;
  readonly executableSize: number;
  readonly executableSha256: string;
}

/** esbuild's name for this system, and the shim's. */
export const PLATFORM = `${Deno.build.os}-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}`;

/** The member of the archive. */
export const MEMBER = "package/bin/esbuild";

/** `npm pack` of one version into `folder`. */
export async function fetchTool(folder: string, version: string): Promise<Release> {
  const name = `esbuild-${PLATFORM}-${version}.tgz`;
  await command("npm", ["pack", "--silent", `@esbuild/${PLATFORM}@${version}`], folder);
  await command("tar", ["xzf", name, MEMBER], folder);
  const executable = join(folder, `esbuild-${version}`);
  Deno.renameSync(join(folder, MEMBER), executable);
  const archive = join(folder, name);
  const [packed, unpacked] = [Deno.readFileSync(archive), Deno.readFileSync(executable)];
  return {
    version,
    archive,
    size: packed.length,
    sha256: sha256(packed),
    executable,
    executableSize: unpacked.length,
    executableSha256: sha256(unpacked),
  };
}

/** The executable of any platform of esbuild's, such as `win32-x64`. */
export async function fetchExecutable(
  folder: string,
  platform: string,
  version: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const member = platform.startsWith("win32") ? "package/esbuild.exe" : MEMBER;
  const archive = `esbuild-${platform}-${version}.tgz`;
  await command("npm", ["pack", "--silent", `@esbuild/${platform}@${version}`], folder);
  await command("tar", ["xzf", archive, member], folder);
  const content = Deno.readFileSync(join(folder, member));
  for (const name of [archive, "package"]) {
    Deno.removeSync(join(folder, name), { recursive: true });
  }
  return content;
}

async function command(program: string, args: string[], cwd: string): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, { args, cwd }).output();
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
