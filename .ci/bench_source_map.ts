/** How many bytes of a generated file came from which source: its source map, added up. */

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** By source; under "" what comes from none. The map is that of ECMA-426, without sections. */
export function generatedBytes(generated: string, map: string): Map<string, number> {
  const { sources, mappings } = JSON.parse(map) as { sources: string[]; mappings: string };
  const lines = generated.split(/(?<=\n)/);
  const sizes = new Map<string, number>();
  const add = (source: string, text: string) => {
    sizes.set(source, (sizes.get(source) ?? 0) + new TextEncoder().encode(text).length);
  };
  let source = 0;
  mappings.split(";").forEach((segments, at) => {
    const line = lines[at] ?? "";
    let [column, name] = [0, ""];
    for (const segment of segments === "" ? [] : segments.split(",")) {
      const [columns = 0, sourceStep] = numbers(segment);
      add(name, line.slice(column, column += columns));
      source += sourceStep ?? 0;
      name = sourceStep === undefined ? "" : sources[source] ?? "";
    }
    add(name, line.slice(column));
  });
  return sizes;
}

/** Base64 VLQ: five bits a digit, the lowest first; the lowest of all is the sign. */
function numbers(segment: string): number[] {
  const values: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    values.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return values;
}
