/** The pages and the code: links lead somewhere, rooms and words are those of the code. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { drawnPictures, LEVELS } from "../../.ci/pictures.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const read = (path: string) => Deno.readTextFileSync(join(ROOT, path));

const PAGES = [
  "README.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...[...Deno.readDirSync(join(ROOT, ".github"))].map(({ name }) => `.github/${name}`)
    .filter((path) => path.endsWith(".md")),
];

Deno.test("every link of a page leads to a file and a heading that are there", () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(read(page)).filter((link) => !leadsSomewhere(page, link))
      .map((link) => `${page}: ${link}`)
  );
  assertEquals(broken, []);
});

Deno.test("every page can be reached from README.md", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) {
    for (const link of linksOf(read(page))) {
      const path = resolve("/", dirname(page), link.split("#")[0]!).slice(1);
      if (PAGES.includes(path)) reached.add(path);
    }
  }
  assertEquals(PAGES.filter((page) => !reached.has(page)), []);
});

Deno.test("README.md has at most 150 lines", () => {
  assertEquals(read("README.md").trimEnd().split("\n").length <= 150, true);
});

Deno.test("the rooms of ARCHITECTURE.md are those of src/", () => {
  const table = /<!-- rooms -->(.*)<!-- \/rooms -->/s.exec(read(".github/ARCHITECTURE.md"))![1]!;
  const named = [...table.matchAll(/^\| `([\w.]+)\/?`/gm)].map(([, room]) => room);
  const there = [...Deno.readDirSync(join(ROOT, "src"))].map(({ name }) => name)
    .filter((name) => name !== "session.ts"); // in the text above
  assertEquals(named.toSorted(), there.toSorted());
});

Deno.test("each place that ARCHITECTURE.md names is there", () => {
  const places = [...read(".github/ARCHITECTURE.md").matchAll(/`((?:src|tests)\/[\w/.*]+)`/g)];
  assertEquals(places.length > 5, true);
  for (const [, place] of places) {
    const found = place!.includes("*")
      ? [...Deno.readDirSync(join(ROOT, dirname(place!)))].some(({ name }) =>
        new RegExp(`^${place!.slice(dirname(place!).length + 1).replace("*", ".*")}$`).test(name)
      )
      : exists(place!);
    assertEquals(found, true, `${place} is not there`);
  }
});

Deno.test("each word of GLOSSARY.md that names code is a name in the code", () => {
  const code = sourcesBelow("src").map(read).join("\n");
  const rows = [...read(".github/GLOSSARY.md").matchAll(/^\| .+ \| `(\w+)` +\|$/gm)];
  assertEquals(rows.length > 15, true);
  for (const [, name] of rows) {
    assertEquals(new RegExp(`\\b${name}\\b`).test(code), true, `there is no ${name} in src/`);
  }
});

function linksOf(text: string): string[] {
  const plain = text.replace(/```.*?```/gs, "").replace(/`[^`\n]*`/g, "");
  const links = [
    ...plain.matchAll(/\]\(([^)\s]+)\)/g),
    ...plain.matchAll(/(?:src|srcset)="([^"]+)"/g),
  ];
  return links.map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path, anchor] = link.split("#");
  const file = path === "" ? page : resolve("/", dirname(page), path!).slice(1);
  if (!exists(file)) return false;
  return anchor === undefined || headingsOf(read(file)).includes(anchor);
}

/** As GitHub makes anchors of headings. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(join(ROOT, path));
    return true;
  } catch {
    return false;
  }
}

function sourcesBelow(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? sourcesBelow(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

Deno.test("the drawn pictures are those that .ci/pictures.ts draws, and their rooms those of src/", () => {
  for (const [name, text] of Object.entries(drawnPictures())) {
    assertEquals(read(`.github/${name}`), text, `${name}: run deno task pictures`);
  }
  const rooms = [...Deno.readDirSync(join(ROOT, "src"))].filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name).filter((name) => name !== "pack"); // a program of its own
  assertEquals(LEVELS.flat().filter((room) => !room.endsWith(".ts")).toSorted(), rooms.toSorted());
});
