/**
 * Writes a file in pieces while another thread hashes it, as a download does, in one process for each
 * story: what a Deno once gave up it does not get back. Prints the digests.
 */
import { join } from "@std/path";
import { confinedTo } from "../../src/system/deno_programs.ts";

const [folder] = Deno.args as [string];
const readable = join(folder, "partial");
Deno.mkdirSync(readable);
const surroundings = { ownGroup: true, killer: null, terminals: [false, false, false] } as const;
const { digestBehind } = confinedTo([], readable, surroundings);

const MIB = 1024 * 1024;
const bytes = (size: number, seed: number) =>
  new Uint8Array(size).map((_, index) => (index >> 10) * seed);
const write = (path: string, content: Uint8Array, at: number) => {
  using file = Deno.openSync(path, { write: true, create: true });
  file.truncateSync(at);
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(content);
};
const turn = () => new Promise((resolve) => setTimeout(resolve, 50));

const content = bytes(5 * MIB + 17, 7);
const stories: Record<string, (path: string) => Promise<unknown>> = {
  async "in pieces"(path) {
    const behind = digestBehind(path)!;
    behind.reached(0);
    for (let at = 0; at < content.length; at += MIB) {
      write(path, content.subarray(at, at + MIB), at);
      behind.reached(Math.min(at + MIB, content.length));
      await turn();
    }
    return await behind.end();
  },
  async "gone on with"(path) {
    write(path, content.subarray(0, 3 * MIB), 0);
    const behind = digestBehind(path)!;
    behind.reached(3 * MIB);
    await turn();
    write(path, content.subarray(3 * MIB), 3 * MIB);
    return await behind.end();
  },
  async "begun anew"(path) {
    const behind = digestBehind(path)!;
    behind.reached(0);
    write(path, bytes(3 * MIB, 5), 0);
    behind.reached(3 * MIB);
    await turn();
    write(path, new Uint8Array(), 0);
    behind.reached(0);
    write(path, content, 0);
    behind.reached(content.length);
    return await behind.end();
  },
  async "removed and made anew"(path) {
    const behind = digestBehind(path)!;
    write(path, bytes(3 * MIB, 5), 0);
    behind.reached(3 * MIB);
    await turn();
    Deno.removeSync(path);
    behind.reached(0);
    write(path, content, 0);
    return await behind.end();
  },
  "that is not there": async (path) => await digestBehind(path)!.end() ?? null,
  "elsewhere": async () => await digestBehind(join(folder, "secret"))!.end() ?? null,
};

const answers: Record<string, unknown> = {};
for (const [name, story] of Object.entries(stories)) {
  answers[name] = await story(join(readable, name));
}
console.log(JSON.stringify(answers));
Deno.exit(0);
