/** The one check on Ed25519 points that libsodium makes and the runtime does not. */

/**
 * Whether 32 bytes are an encoded point that no honest key or signature has: of order 1, 2, 4 or 8,
 * or not in its one canonical form. For such a key anybody can make signatures. libsodium refuses
 * them (`crypto_sign_verify_detached`), and so minisign does; WebCrypto in Deno 2.9 does not, though
 * its specification says so (WICG "Secure Curves", Ed25519, Verify).
 */
export function isWeakPoint(point: Uint8Array): boolean {
  const hex = point.map((byte, index) => index === 31 ? byte & 0x7f : byte).toHex();
  return SMALL_ORDER.includes(hex) || NOT_CANONICAL.test(hex);
}

/** y, little-endian, without the sign of x, of all eight points whose order divides 8. */
const SMALL_ORDER: readonly string[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/** y of 2^255 - 19 or more. */
const NOT_CANONICAL = /^(e[def]|f.)(ff){30}7f$/;
