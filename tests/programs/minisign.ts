/** Drives the real `minisign` program (Debian: `apt-get install minisign`). */
import { join } from "@std/path";
import type { SignOptions } from "../support/signer.ts";

/** Makes a key pair without password; the public key is in `<folder>/<name>.pub`. */
export async function makeKeyPair(folder: string, name: string): Promise<string> {
  await run([
    "-G",
    "-W",
    "-f",
    "-p",
    join(folder, `${name}.pub`),
    "-s",
    join(folder, `${name}.key`),
  ]);
  return Deno.readTextFileSync(join(folder, `${name}.pub`));
}

/** The signature that the real program makes with key `name`. */
export async function signWithMinisign(
  folder: string,
  name: string,
  document: Uint8Array,
  options: SignOptions = {},
): Promise<Uint8Array> {
  const file = join(folder, "to-sign");
  Deno.writeFileSync(file, document);
  await run([
    "-S",
    ...(options.legacy ? ["-l"] : []),
    ...["-s", join(folder, `${name}.key`), "-m", file],
    ...(options.trustedComment === undefined ? [] : ["-t", options.trustedComment]),
    ...(options.untrustedComment === undefined ? [] : ["-c", options.untrustedComment]),
  ]);
  return Deno.readFileSync(`${file}.minisig`);
}

/** What the real program says of a document, a signature and a `.pub` file or the key alone. */
export async function askMinisign(
  folder: string,
  document: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array | string,
): Promise<{ readonly accepted: boolean; readonly output: string }> {
  const place = join(folder, crypto.randomUUID());
  const [message, sig, pub] = [`${place}.txt`, `${place}.minisig`, `${place}.pub`] as const;
  const key = typeof publicKey === "string" ? new TextEncoder().encode(publicKey) : publicKey;
  const line = new TextDecoder().decode(key).replace(/\n$/, "");
  await Promise.all([
    Deno.writeFile(message, document),
    Deno.writeFile(sig, signature),
    Deno.writeFile(pub, key),
  ]);
  const { code, stdout, stderr } = await new Deno.Command("minisign", {
    // No argument can hold a NUL.
    args: ["-V", "-m", message, "-x", sig, .../[\n\0]/.test(line) ? ["-p", pub] : ["-P", line]],
  }).output();
  await Promise.all([message, sig, pub].map((path) => Deno.remove(path)));
  const decoder = new TextDecoder();
  return { accepted: code === 0, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function run(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("minisign", { args, stdin: "null" }).output();
  if (!success) throw new Error(`minisign ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}
