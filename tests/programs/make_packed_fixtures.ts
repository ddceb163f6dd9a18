/**
 * Writes `tests/support/packed_fixtures.ts` with the real `xz` and `zstd`:
 * `deno run -A tests/programs/make_packed_fixtures.ts`. The ordinary tests need neither program.
 */
import { type SampleName, SAMPLES } from "../support/packed_samples.ts";

const WAYS: Record<string, readonly [sample: SampleName, program: string, ...args: string[]]> = {
  "xz": ["text", "xz"],
  "xz of nothing": ["empty", "xz"],
  "xz -9e": ["mixed", "xz", "-9e"],
  "xz -0": ["mixed", "xz", "-0"],
  "xz --check=none": ["text", "xz", "--check=none"],
  "xz --check=crc32": ["mixed", "xz", "--check=crc32"],
  "xz --check=sha256": ["mixed", "xz", "--check=sha256"],
  "xz of noise": ["noise", "xz"],
  "xz of zeros": ["zeros", "xz"],
  "xz in blocks": ["mixed", "xz", "-T2", "--block-size=5001"],
  "xz with other contexts": ["mixed", "xz", "--lzma2=preset=6,lc=1,lp=3,pb=0"],
  "xz with a dictionary of 4 KiB": ["mixed", "xz", "--lzma2=preset=6,dict=4096"],
  "xz --x86": ["x86", "xz", "--x86", "--lzma2=preset=9"],
  "xz --arm64": ["arm64", "xz", "--arm64", "--lzma2=preset=9"],
  "xz --x86 in blocks": ["x86", "xz", "-T2", "--block-size=4001", "--x86", "--lzma2=preset=9"],
  "zstd": ["text", "zstd"],
  "zstd of nothing": ["empty", "zstd"],
  "zstd -19": ["mixed", "zstd", "-19"],
  "zstd --fast": ["mixed", "zstd", "--fast=9"],
  "zstd --no-check": ["mixed", "zstd", "--no-check"],
  "zstd of noise": ["noise", "zstd"],
  "zstd of zeros": ["zeros", "zstd"],
  "zstd --content-size": ["mixed", "zstd", "--stream-size=16000"],
};

function pack(sample: SampleName, program: string, args: readonly string[]): Uint8Array {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeFileSync(`${folder}/sample`, SAMPLES[sample]());
    const command = `${[program, ...args].join(" ")} -c < sample`;
    const { success, stdout, stderr } = new Deno.Command("sh", {
      args: ["-c", command],
      cwd: folder,
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return stdout;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function version(program: string): string {
  const { stdout } = new Deno.Command(program, { args: ["--version"] }).outputSync();
  return /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout))![0];
}

const entries = Object.entries(WAYS).map(([name, [sample, program, ...args]]) => {
  const base64 = btoa(String.fromCharCode(...pack(sample, program, args)));
  return `  ${JSON.stringify(name)}: [${JSON.stringify(sample)}, ${JSON.stringify(base64)}],`;
});
Deno.writeTextFileSync(
  new URL("../support/packed_fixtures.ts", import.meta.url),
  `// deno-fmt-ignore-file
/**
 * What xz ${version("xz")} and zstd ${version("zstd")} made of the samples, in base64. Written by
 * \`tests/programs/make_packed_fixtures.ts\`.
 */
import type { SampleName } from "./packed_samples.ts";

/** By what was done: of which sample, and the result. */
export const PACKED: Readonly<Record<string, readonly [SampleName, string]>> = {
${entries.join("\n")}
};
`,
);
