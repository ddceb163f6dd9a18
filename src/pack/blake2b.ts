/**
 * BLAKE2b with 32 bytes of output, unkeyed (RFC 7693): the checksum inside of minisign's secret
 * keys. The runtime only has the one with 64 bytes, which is another function. For small inputs.
 */

const IV: readonly bigint[] = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
];
const SIGMA: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
/** Columns, then diagonals. */
const QUARTERS: readonly (readonly [number, number, number, number])[] = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];
const BLOCK = 128, ROUNDS = 12, OUTPUT = 32;
const MASK = 0xffffffffffffffffn;

/** The 32 bytes. */
export function blake2b256(input: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = [...IV];
  state[0]! ^= 0x01010000n ^ BigInt(OUTPUT);
  const blocks = Math.max(1, Math.ceil(input.length / BLOCK));
  for (let index = 0; index < blocks; index++) {
    const block = new Uint8Array(BLOCK);
    block.set(input.subarray(index * BLOCK, (index + 1) * BLOCK));
    const last = index === blocks - 1;
    compress(state, new DataView(block.buffer), last ? input.length : (index + 1) * BLOCK, last);
  }
  const output = new DataView(new ArrayBuffer(OUTPUT));
  for (let at = 0; at < OUTPUT; at += 8) output.setBigUint64(at, state[at / 8]!, true);
  return new Uint8Array(output.buffer);
}

function compress(state: bigint[], block: DataView, count: number, last: boolean): void {
  const v = [...state, ...IV];
  v[12]! ^= BigInt(count);
  if (last) v[14]! ^= MASK;
  const word = (index: number) => block.getBigUint64(index * 8, true);
  for (let round = 0; round < ROUNDS; round++) {
    const order = SIGMA[round % SIGMA.length]!;
    QUARTERS.forEach((quarter, index) =>
      mix(v, quarter, word(order[2 * index]!), word(order[2 * index + 1]!))
    );
  }
  for (let index = 0; index < 8; index++) state[index]! ^= v[index]! ^ v[index + 8]!;
}

function mix(v: bigint[], [a, b, c, d]: readonly number[], x: bigint, y: bigint): void {
  const step = (word: bigint, first: bigint, second: bigint) => {
    v[a!] = (v[a!]! + v[b!]! + word) & MASK;
    v[d!] = rotate(v[d!]! ^ v[a!]!, first);
    v[c!] = (v[c!]! + v[d!]!) & MASK;
    v[b!] = rotate(v[b!]! ^ v[c!]!, second);
  };
  step(x, 32n, 24n);
  step(y, 16n, 63n);
}

function rotate(word: bigint, by: bigint): bigint {
  return (word >> by | word << (64n - by)) & MASK;
}
