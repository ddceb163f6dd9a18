/**
 * The two texts of minisign, read strictly (https://jedisct1.github.io/minisign/, "Signature
 * format"): LF line ends, nothing after the last line, base64 in its one form. Where minisign itself
 * is more lenient, one signature would have several forms.
 */
import { UpdateError } from "../base/errors.ts";
import { isWeakPoint } from "./weak_points.ts";

/** A public key that releases may be signed with. */
export interface PublicKey {
  /** As minisign prints it: hexadecimal, upper case, without leading zeros. */
  readonly keyId: string;
  /** The key itself, 32 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A signature file whose form is right; nothing is verified. */
export interface ParsedSignature {
  /** Whether the BLAKE2b-512 of the document is signed instead of the document. */
  readonly prehashed: boolean;
  readonly keyId: string;
  /** 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Printable text. */
  readonly trustedComment: string;
  /** 64 bytes: signs the signature and the trusted comment together. */
  readonly globalSignature: Uint8Array<ArrayBuffer>;
}

/** A signature file needs 300 bytes; the rest is room for comments. */
const SIGNATURE_LIMIT = 8 * 1024;
/** minisign reads a first line into 1024 bytes, with line end and NUL, and refuses a longer one. */
const UNTRUSTED_LIMIT = 1022;
const UNTRUSTED = "untrusted comment: ";
const TRUSTED = "trusted comment: ";
const LEGACY = "Ed";
const PREHASHED = "ED";

/** Reads a public key: the base64 line, or the two lines of a `.pub` file. Throws `usage`. */
export function parsePublicKey(text: string): PublicKey {
  const refuse = (what: string): never => {
    // Enough to find it among several, and not enough if it is a secret key by mistake.
    const shown = JSON.stringify(text.slice(0, 12));
    throw new UpdateError(
      "usage",
      `The public key that begins with ${shown} is not valid: ${what}`,
      {
        hint:
          'In "publicKeys" or --public-key give the line that begins with "RW" of the .pub file that "updater-shim-pack --new-key" or "minisign -G" wrote.',
      },
    );
  };
  const lines = text.replace(/\n$/, "").split("\n");
  if (lines.length > 2 || (lines.length === 2 && untrustedFault(lines[0]!))) {
    return refuse("it is neither one line of base64 nor the two lines of a minisign .pub file");
  }
  const raw = decodeBase64(lines.at(-1)!, 42);
  if (!raw) return refuse("it is not the base64 of 42 bytes");
  if (algorithm(raw) !== LEGACY) return refuse("it is not an Ed25519 key of minisign");
  const bytes = raw.slice(10);
  if (isWeakPoint(bytes)) return refuse("anybody can sign for this key (its order is small)");
  return { keyId: keyId(raw), bytes };
}

/** Reads a signature file; a text says what is wrong with it. */
export function parseSignature(bytes: Uint8Array): ParsedSignature | string {
  if (bytes.length > SIGNATURE_LIMIT) return `longer than ${SIGNATURE_LIMIT} bytes`;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "not UTF-8 text";
  }
  const lines = text.replace(/\n$/, "").split("\n");
  if (lines.length !== 4) return `${lines.length} lines instead of 4`;
  const odd = lines.findIndex((line) => /[^\P{Cc}\t]/u.test(line));
  if (odd >= 0) return `a control character in line ${odd + 1}`;
  const [untrusted, first, trusted, second] = lines as [string, string, string, string];
  const fault = untrustedFault(untrusted);
  if (fault) return fault;
  if (!trusted.startsWith(TRUSTED)) return `line 3 does not begin with "${TRUSTED}"`;
  const raw = decodeBase64(first, 74);
  if (!raw) return "line 2 is not the base64 of 74 bytes";
  if (![PREHASHED, LEGACY].includes(algorithm(raw))) return "an algorithm that is not known";
  const globalSignature = decodeBase64(second, 64);
  if (!globalSignature) return "line 4 is not the base64 of 64 bytes";
  return {
    prehashed: algorithm(raw) === PREHASHED,
    keyId: keyId(raw),
    signature: raw.slice(10),
    trustedComment: trusted.slice(TRUSTED.length),
    globalSignature,
  };
}

function untrustedFault(line: string): string | undefined {
  if (!line.startsWith(UNTRUSTED)) return `line 1 does not begin with "${UNTRUSTED}"`;
  return new TextEncoder().encode(line).length > UNTRUSTED_LIMIT ? "line 1 is too long" : undefined;
}

/** The bytes of canonical base64 of exactly `size` bytes; undefined for anything else. */
function decodeBase64(text: string, size: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text);
    // White space, missing padding and stray bits are ignored: what does not come back is refused.
    return bytes.length === size && bytes.toBase64() === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function algorithm(raw: Uint8Array): string {
  return String.fromCharCode(raw[0]!, raw[1]!);
}

/** A little-endian number, which minisign prints with `%PRIX64`. */
function keyId(raw: Uint8Array<ArrayBuffer>): string {
  return new DataView(raw.buffer).getBigUint64(2, true).toString(16).toUpperCase();
}
