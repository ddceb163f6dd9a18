/** Contents that make a decoder use all that it has; the same bytes every time. */

/** A file, by what is special in it. */
export const SAMPLES = {
  text: () => new TextEncoder().encode("new"),
  empty: () => new Uint8Array(),
  /** One long match. */
  zeros: () => new Uint8Array(300_000),
  /** Nothing to be found in it. */
  noise: () => random(1500, 7),
  /** Words that come back at every distance, with small differences. */
  mixed: () => mixed(16_000),
  /** Calls and jumps of x86, among bytes that look like some. */
  x86: () => code(9_000, x86Instruction),
  /** Branches and page addresses of ARM64. */
  arm64: () => code(9_000, arm64Instruction),
} as const satisfies Record<string, () => Uint8Array>;

/** The name of a sample. */
export type SampleName = keyof typeof SAMPLES;

/** Xorshift, 32 bits: good enough to be no pattern. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function random(length: number, seed: number): Uint8Array {
  const next = generator(seed);
  return Uint8Array.from({ length }, () => next() >>> 11);
}

function mixed(length: number): Uint8Array {
  const next = generator(1), out = new Uint8Array(length);
  const words = Array.from({ length: 300 }, (_, index) => random(2 + next() % 24, index + 1));
  for (let at = 0; at < length;) {
    const kind = next() % 64;
    const part = kind === 0
      ? out.slice(0, Math.min(at, 20 + next() % 600)) // far back
      : kind === 1
      ? random(1 + next() % 6, at + 1)
      : words[next() % (kind < 32 ? 12 : words.length)]!;
    out.set(part.subarray(0, length - at), at);
    at += Math.max(1, part.length);
  }
  return out;
}

function code(
  length: number,
  instruction: (next: () => number, at: number) => number[],
): Uint8Array {
  const next = generator(3), out = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const bytes = instruction(next, at).slice(0, length - at);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

function x86Instruction(next: () => number, at: number): number[] {
  const kind = next() % 8;
  if (kind === 0) return [0xe8, 0xe8, next() % 3 ? 0 : 0xff, 0xe9, 0];
  if (kind === 1) return [0xe9, 0, 0xff, 0xe8];
  if (kind > 4) return [0x8b, 0x45, next() % 4 * 4, 0x90];
  const distance = next() % 12 * 5000 - at;
  return [kind === 2 ? 0xe9 : 0xe8, distance, distance >> 8, distance >> 16, distance >> 24]
    .map((byte) => byte & 0xff);
}

function arm64Instruction(next: () => number, at: number): number[] {
  const kind = next() % 6;
  const target = next() % 10 * 4096 - at;
  const pages = next() % 30 - 4 + (kind === 2 ? 1 << 18 : 0);
  const word = kind === 0
    ? 0x94000000 | (target >> 2) & 0x03ffffff
    : kind < 3
    ? 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5 | next() % 32
    : 0xd503201f;
  return [word, word >> 8, word >> 16, word >> 24].map((byte) => byte & 0xff);
}
