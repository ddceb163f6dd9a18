/** What an attacker may try on a signed manifest: changes of the document, signature and key. */
import { bytes } from "../support/signer.ts";

/** A document with its signature and the `.pub` file that it is checked against. */
export interface SignedDocument {
  readonly document: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** One changed thing. */
export interface Mutation extends SignedDocument {
  /** What was done, for the failure message. */
  readonly what: string;
}

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (raw: Uint8Array) => new TextDecoder().decode(raw);

/** One of each kind of byte that a line can hold. */
const BYTE_CLASSES: Record<string, Uint8Array> = {
  digit: encode("7"),
  upper: encode("Q"),
  lower: encode("q"),
  plus: encode("+"),
  slash: encode("/"),
  padding: encode("="),
  space: encode(" "),
  tab: encode("\t"),
  "line feed": encode("\n"),
  "carriage return": encode("\r"),
  nul: Uint8Array.of(0),
  escape: Uint8Array.of(27),
  "not UTF-8": Uint8Array.of(0xff),
  "two bytes": encode("é"),
  "line separator": encode("\u2028"),
};

/** All mutations of `good`; `other` is another document with another key's signature. */
export function* mutations(good: SignedDocument, other: SignedDocument): Generator<Mutation> {
  for (const part of ["document", "signature", "publicKey"] as const) {
    for (const [what, changed] of changesOf(good[part])) {
      yield { ...good, [part]: changed, what: `${part}: ${what}` };
    }
    yield { ...good, [part]: other[part], what: `${part}: of another release` };
  }
  for (const [what, lines] of lineChanges(decode(good.signature), decode(other.signature))) {
    yield { ...good, signature: encode(lines), what: `signature: ${what}` };
  }
  for (const [what, lines] of lineChanges(decode(good.publicKey), decode(other.publicKey))) {
    yield { ...good, publicKey: encode(lines), what: `publicKey: ${what}` };
  }
}

/** Every byte's lowest bit, every class of byte in every line, truncations, additions. */
function* changesOf(raw: Uint8Array): Generator<[string, Uint8Array]> {
  for (let at = 0; at < raw.length; at++) {
    const flipped = raw.slice();
    flipped[at]! ^= 1;
    yield [`bit 0 of byte ${at}`, flipped];
  }
  let start = 0;
  for (const line of decode(raw).split("\n")) {
    const end = start + encode(line).length;
    for (const [name, inserted] of Object.entries(BYTE_CLASSES)) {
      for (const at of new Set([start, start + 1, (start + end) >> 1, end])) {
        if (at > raw.length) continue;
        const [before, after] = [raw.subarray(0, at), raw.subarray(at)];
        yield [`${name} before byte ${at}`, bytes(before, inserted, after)];
        yield [`${name} instead of byte ${at}`, bytes(before, inserted, after.subarray(1))];
      }
    }
    start = end + 1;
  }
  for (let cut = 0; cut < raw.length; cut += 3) yield [`cut to ${cut} bytes`, raw.slice(0, cut)];
  yield ["doubled", bytes(raw, raw)];
  yield ["with a byte order mark", bytes("\ufeff", raw)];
}

function* lineChanges(text: string, other: string): Generator<[string, string]> {
  const lines = text.split("\n").slice(0, -1);
  const others = other.split("\n");
  const join = (changed: string[]) => `${changed.join("\n")}\n`;
  yield ["CRLF", text.replaceAll("\n", "\r\n")];
  yield ["CR", text.replaceAll("\n", "\r")];
  yield ["no final line end", text.trimEnd()];
  for (const more of ["\n", "\n\n", "x", "x\n", "\0", "# more\n"]) {
    yield [`then ${more}`, text + more];
  }
  for (const [index, line] of lines.entries()) {
    const put = (...now: string[]) => join(lines.toSpliced(index, 1, ...now));
    yield [`line ${index + 1} dropped`, put()];
    yield [`line ${index + 1} doubled`, put(line, line)];
    yield [`line ${index + 1} empty`, put("")];
    yield [`line ${index + 1} of another release`, put(others[index]!)];
    yield [`line ${index + 1} in upper case`, put(line.toUpperCase())];
    yield [`line ${index + 1} with spaces around`, put(` ${line} `)];
    yield [`line ${index + 1} without padding`, put(line.replace(/=+$/, ""))];
    yield [`line ${index + 1} with more padding`, put(`${line}=`)];
    yield [`line ${index + 1} very long`, put(line + "A".repeat(9000))];
    yield [`line ${index + 1} long`, put(line + "A".repeat(1100))];
    for (const [second, text] of lines.entries()) {
      if (second <= index) continue;
      yield [
        `lines ${index + 1} and ${second + 1} exchanged`,
        join(lines.with(index, text).with(second, line)),
      ];
    }
  }
  for (const algorithm of ["Ed", "ED", "ed", "eD", "ES"]) {
    const raw = Uint8Array.from(atob(lines[1]!), (char) => char.charCodeAt(0));
    raw.set(encode(algorithm));
    yield [`algorithm ${algorithm}`, join(lines.with(1, btoa(String.fromCharCode(...raw))))];
  }
}
