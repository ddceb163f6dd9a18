/**
 * `deno run --allow-read .ci/signature_vectors.ts ed25519_test.json cases.json >tests/release/signature_vectors.json`:
 * makes the compact vectors of the tests out of the two published files:
 *
 *     testvectors_v1/ed25519_test.json of https://github.com/C2SP/wycheproof
 *     cases.json of https://github.com/novifinancial/ed25519-speccheck
 */

/** What the tests read; all bytes in hex. */
export interface Vectors {
  readonly sources: readonly string[];
  /** For each key: number, message, signature, whether it is valid. */
  readonly wycheproof: readonly {
    readonly key: string;
    readonly tests: readonly (readonly [number, string, string, boolean])[];
  }[];
  /** Key, message, signature: where verifiers disagree. */
  readonly edges: readonly (readonly [string, string, string])[];
}

interface Published {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: "valid" | "invalid";
    }[];
  }[];
}

interface Case {
  readonly message: string;
  readonly pub_key: string;
  readonly signature: string;
}

if (import.meta.main) {
  const [wycheproof, edges] = Deno.args.map((path) => JSON.parse(Deno.readTextFileSync(path))) as [
    Published,
    Case[],
  ];
  const vectors: Vectors = {
    sources: [
      "C2SP/wycheproof, testvectors_v1/ed25519_test.json, Apache-2.0, version dac1dd47",
      "novifinancial/ed25519-speccheck, cases.json, Apache-2.0, version 65519336",
    ],
    wycheproof: wycheproof.testGroups.map(({ publicKey, tests }) => ({
      key: publicKey.pk,
      tests: tests.map(({ tcId, msg, sig, result }) => [tcId, msg, sig, result === "valid"]),
    })),
    edges: edges.map(({ pub_key, message, signature }) => [pub_key, message, signature]),
  };
  console.log(JSON.stringify(vectors));
}
