/**
 * Certificates for TLS servers of tests: X.509 version 3 (RFC 5280) with P-256 keys, encoded here,
 * so that no other program is needed. The runtime that reads them (rustls) is strict.
 */

/** PEM texts. */
export interface Certificates {
  /** The authority that a client must trust. */
  readonly ca: string;
  /** The server's, for `localhost` and 127.0.0.1. */
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 24 * 3600 * 1000;
const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";

/** Makes an authority and a server certificate of it, valid from yesterday to tomorrow. */
export async function makeCertificates(): Promise<Certificates> {
  const [authority, server] = await Promise.all([makeKeys(), makeKeys()]);
  const issuer = { issuer: "an authority for a test", signer: authority.privateKey };
  const ca = await certificate({
    ...issuer,
    subject: issuer.issuer,
    key: authority.publicKey,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(der(0x01, [0xff]))), // it is an authority
      extension(KEY_USAGE, der(0x03, [2, 0b0000_0100])), // keyCertSign
    ],
  });
  const names = sequence(der(0x82, ascii("localhost")), der(0x87, [127, 0, 0, 1]));
  const cert = await certificate({
    ...issuer,
    subject: "localhost",
    key: server.publicKey,
    extensions: [extension(SUBJECT_ALTERNATIVE_NAME, names)],
  });
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", server.privateKey));
  return {
    ca: pem("CERTIFICATE", ca),
    cert: pem("CERTIFICATE", cert),
    key: pem("PRIVATE KEY", key),
  };
}

function makeKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(P256, true, ["sign", "verify"]);
}

interface Content {
  readonly issuer: string;
  readonly signer: CryptoKey;
  readonly subject: string;
  readonly key: CryptoKey;
  readonly extensions: readonly Uint8Array[];
}

async function certificate(content: Content): Promise<Uint8Array<ArrayBuffer>> {
  const now = Date.now();
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256));
  const signed = sequence(
    der(0xa0, integer([2])), // version 3
    integer(crypto.getRandomValues(new Uint8Array(8))),
    algorithm,
    name(content.issuer),
    sequence(utcTime(now - DAY_MS), utcTime(now + DAY_MS)),
    name(content.subject),
    new Uint8Array(await crypto.subtle.exportKey("spki", content.key)),
    der(0xa3, sequence(...content.extensions)),
  );
  const signature = new Uint8Array(await crypto.subtle.sign(P256, content.signer, signed));
  // Web cryptography gives the two numbers side by side; a certificate holds a sequence of them.
  const pair = sequence(integer(signature.subarray(0, 32)), integer(signature.subarray(32)));
  return sequence(signed, algorithm, der(0x03, [0, ...pair]));
}

function name(commonName: string): Uint8Array {
  return sequence(der(0x31, sequence(objectId(COMMON_NAME), der(0x0c, ascii(commonName)))));
}

/** All of them critical: a client that does not understand one must refuse the certificate. */
function extension(id: string, value: Uint8Array): Uint8Array {
  return sequence(objectId(id), der(0x01, [0xff]), der(0x04, value));
}

function utcTime(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, "");
  return der(0x17, ascii(`${digits.slice(2, 14)}Z`));
}

/** Of an unsigned number, the most significant byte first; DER wants as few bytes as possible. */
function integer(bytes: Uint8Array | readonly number[]): Uint8Array {
  const digits = [...bytes];
  while (digits.length > 1 && digits[0] === 0) digits.shift();
  return der(0x02, digits[0]! >= 0x80 ? [0, ...digits] : digits);
}

function objectId(id: string): Uint8Array {
  const [first, second, ...rest] = id.split(".").map(Number);
  const inSevens = (part: number): number[] =>
    part < 128 ? [part] : [...inSevens(part >> 7).map((byte) => byte | 128), part & 127];
  return der(0x06, [40 * first! + second!, ...rest.flatMap(inSevens)]);
}

function sequence(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return der(0x30, parts.flatMap((part) => [...part]));
}

/** Tag, length, content. */
function der(tag: number, content: Uint8Array | readonly number[]): Uint8Array<ArrayBuffer> {
  const { length } = content;
  const size = length < 128
    ? [length]
    : length < 256
    ? [0x81, length]
    : [0x82, length >> 8, length];
  return Uint8Array.from([tag, ...size, ...content]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pem(label: string, content: Uint8Array<ArrayBuffer>): string {
  const lines = content.toBase64().replaceAll(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
