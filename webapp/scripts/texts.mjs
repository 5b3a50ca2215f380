/**
 * Lint of the texts that a person reads (`npm run lint`): none stands outside the catalogue in
 * `src/texts`, and each language says all that English says, of the same things.
 *
 * Prints each fault with its place, and exits with 1 where there is one.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), "..", "src");
const CATALOGUE = join(SOURCE, "texts");

/** Folders whose words are not shown as they stand. */
const SILENT = [
  "texts/", // the catalogue
  "decoder/", // a worker's, most of it; what it says has names (decoder/failure.ts)
  "api/", // a package of its own; the page says its errors by their names (texts/sentence.ts)
];

/** What is no text, though it looks like one: said by the code to itself, or alike everywhere. */
const NO_TEXT = new Set([
  "There are no services around this component.", // a fault of the code, never shown
  "A selection always has an active object.", // likewise
  "This decoder is not there any more.", // likewise
  "input:not([type=radio], [type=checkbox], [type=range]), textarea, select, dialog, [contenteditable]",
  "a, button, input, summary",
  '-H "Authorization: Bearer $ID_TOKEN"', // of a command
  '-H "Content-Type: application/json"',
]);

/** Ours is the same in every language. */
const NAME = "Gen3D";

/** Attributes that nobody reads. */
const TECHNICAL = new Set(
  (
    "accept as capture className clipPath crossOrigin cx cy d data-object data-theme download dur fill height href " +
    "htmlFor id inputMode key lang loading margin method name part path points preload r ref rel role src " +
    "stroke strokeWidth style tabIndex target transform type value viewBox width x y aria-live " +
    "aria-current aria-labelledby aria-describedby aria-hidden aria-haspopup autoComplete"
  ).split(" "),
);

/** Calls whose words are the browser's or the log's. */
const TECHNICAL_CALL =
  /^(console\.\w+|.*\.(querySelector(All)?|closest|matches|getContext|getElementById)|matchMedia|new (Set|RegExp|Intl\.\w+))$/;

const LETTER = /\p{L}/u;
const SENTENCE = /\p{L}{2,}[,.:;!?…]?\s+\p{L}|\p{L}{2,}…$/u;
const WORD = /^\p{Lu}\p{Ll}+$/u;

const faults = [];

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function parse(path) {
  const source = readFileSync(path, "utf-8");
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  return { path, source, program };
}

function tell({ path, source }, node, fault) {
  const line = source.slice(0, node.start).split("\n").length;
  faults.push(`src/${relative(SOURCE, path)}:${line}: ${fault}`);
}

function children(node) {
  return Object.values(node)
    .flat()
    .filter((child) => typeof child?.type === "string");
}

// Outside the catalogue

/** The words of a literal, or null where the node is none. */
function wordsOf(node) {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral") {
    return node.quasis.map(({ value }) => value.cooked).join(" 1 ");
  }
  return node.type === "JSXText" ? node.value : null;
}

function nameOf(node) {
  if (node.type === "JSXNamespacedName") return `${node.namespace.name}:${node.name.name}`;
  return node.name;
}

/** How far a literal in this place has to look like a text: "letter", "word", "sentence" or null. */
function asked(node, parent, key, now) {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return node.declaration ? now : null;
    case "JSXAttribute":
      return TECHNICAL.has(nameOf(node.name)) ? null : "letter";
    case "TaggedTemplateExpression":
      return node.tag.name === "glsl" ? null : now;
    case "JSXText":
      return "letter";
    case "JSXExpressionContainer":
      return parent.type === "JSXAttribute" ? now : "letter";
    case "JSXElement":
      // A command, a name in a program: the same in every language.
      return ["code", "pre"].includes(node.openingElement.name.name) ? null : now;
    case "ConditionalExpression":
    case "LogicalExpression":
    case "JSXFragment":
    case "TemplateLiteral":
      return now;
    case "Literal":
      return key === "test" || key === "key" ? null : now;
    case "Property":
    case "ReturnStatement":
    case "VariableDeclarator":
    case "ArrowFunctionExpression":
    case "ArrayExpression":
      return now && "word";
    case "BinaryExpression":
    case "SwitchCase":
    case "MemberExpression":
    case "ImportExpression":
      return now && "sentence";
    case "CallExpression":
    case "NewExpression":
      return TECHNICAL_CALL.test(calleeOf(node)) ? null : now && "sentence";
    default:
      if (node.type.startsWith("TS") && !/^TS(As|Satisfies|NonNull)/.test(node.type)) return null;
      return now;
  }
}

function calleeOf({ type, callee }) {
  const name = (node) =>
    node.type === "MemberExpression" ? `${name(node.object)}.${name(node.property)}` : node.name;
  return `${type === "NewExpression" ? "new " : ""}${name(callee) ?? ""}`;
}

const LOOKS = {
  letter: (words) => LETTER.test(words.replaceAll(" 1 ", "")),
  word: (words) => WORD.test(words.trim()) || SENTENCE.test(words),
  sentence: (words) => SENTENCE.test(words),
};

function walk(file, node, parent, key, before) {
  const now = asked(node, parent, key, before);
  if (now === null) return;
  const words = wordsOf(node);
  if (words !== null && LOOKS[now](words.replaceAll(NAME, "")) && !NO_TEXT.has(words.trim())) {
    tell(file, node, `“${words.trim().replace(/\s+/g, " ")}” is not in the catalogue.`);
  }
  for (const [name, value] of Object.entries(node)) {
    for (const child of [value].flat()) {
      if (typeof child?.type === "string") walk(file, child, node, name, now);
    }
  }
}

function isWalked(path) {
  const place = relative(SOURCE, path);
  return !SILENT.some((start) => place.startsWith(start));
}

for (const path of files(SOURCE).filter(isWalked)) {
  const file = parse(path);
  walk(file, file.program, { type: "" }, "", "sentence");
}

// Within it

/** What is exported by the name of its file: the object of texts, and the name it is found by. */
function partOf(file) {
  const name = relative(CATALOGUE, file.path).replace(/^\w+\/|\.tsx?$/g, "");
  for (const statement of file.program.body) {
    const [declared] = statement.declaration?.declarations ?? [];
    if (declared?.id.name !== name) continue;
    const { init } = declared;
    if (init.type === "ObjectExpression") return { name, texts: init };
    if (init.type === "CallExpression" && init.arguments[0]?.value === name) {
      return { name, texts: unwrapped(init.arguments[1]) };
    }
  }
  tell(file, file.program, `There is no part “${name}”, by the name of the file.`);
  return null;
}

function unwrapped(node) {
  return node.type.startsWith("TS") && node.expression ? unwrapped(node.expression) : node;
}

function entriesOf(node) {
  const entries = node.properties.filter(({ type }) => type === "Property");
  return new Map(entries.map(({ key, value }) => [key.name ?? key.value, unwrapped(value)]));
}

const isFunction = ({ type }) => type === "ArrowFunctionExpression";

/** Names of what a text is made of, and how often each is used in it. */
function placeholders(node) {
  const names = node.params.map(({ name }) => name);
  const used = new Set();
  const look = (one) => {
    if (one.type === "Identifier") used.add(one.name);
    children(one).forEach(look);
  };
  look(node.body);
  return { names, unused: names.filter((name) => !used.has(name)) };
}

/** Forms by number that a text has. */
function pluralsOf(node) {
  const found = [];
  const look = (one) => {
    if (one.type === "CallExpression" && one.callee.name === "plural") {
      found.push({ node: one, forms: entriesOf(one.arguments[1]) });
    }
    children(one).forEach(look);
  };
  look(node);
  return found;
}

function checkFunction(file, path, node, language) {
  for (const name of placeholders(node).unused) tell(file, node, `${path} never says ${name}.`);
  const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
  for (const { node: call, forms } of pluralsOf(node)) {
    const wanted = pluralCategories.filter((category) => !forms.has(category));
    const surplus = [...forms.keys()].filter((category) => !pluralCategories.includes(category));
    if (wanted.length > 0) tell(file, call, `${path} has no form for “${wanted.join(", ")}”.`);
    if (surplus.length > 0) tell(file, call, `${path} never uses “${surplus.join(", ")}”.`);
  }
}

function checkEach(file, texts, language, path) {
  for (const [key, node] of entriesOf(texts)) {
    const at = `${path}.${key}`;
    if (node.type === "ObjectExpression") checkEach(file, node, language, at);
    else if (isFunction(node)) checkFunction(file, at, node, language);
    else if (wordsOf(node)?.trim() === "") tell(file, node, `${at} is empty.`);
  }
}

/** Hold a translation against the English. */
function compare(file, english, other, path) {
  const wanted = entriesOf(english);
  const found = entriesOf(other);
  // English leaves to others what it has other words for: the API's, the form's.
  if (wanted.size === 0) return;
  for (const [key, node] of wanted) {
    const at = `${path}.${key}`;
    const translated = found.get(key);
    if (!translated) tell(file, other, `${at} is missing.`);
    else if (node.type === "ObjectExpression" && translated.type === "ObjectExpression") {
      compare(file, node, translated, at);
    } else if (isFunction(node) && isFunction(translated)) {
      const [own, those] = [placeholders(translated), placeholders(node)].map(({ names }) =>
        names.join(", "),
      );
      if (own !== those)
        tell(file, translated, `${at} is made of (${own}), in English (${those}).`);
      const numbers = (one) =>
        pluralsOf(one)
          .map(({ forms }) => saysNumber(forms))
          .join();
      if (numbers(node) !== numbers(translated)) {
        tell(file, translated, `${at} says its number (#) where English does not, or the reverse.`);
      }
    } else if (isFunction(node) !== isFunction(translated)) {
      tell(file, translated, `${at} is a text in one language and made of something in the other.`);
    }
  }
  for (const [key, node] of found) {
    if (!wanted.has(key)) tell(file, node, `${path}.${key} is in no English text.`);
  }
}

function saysNumber(forms) {
  const other = forms.get("other");
  return other ? (wordsOf(other) ?? "").includes("#") : false;
}

function partsOf(language) {
  const parts = files(join(CATALOGUE, language)).filter(
    (path) => !/\/(index|plural)\.tsx?$/.test(path),
  );
  return new Map(
    parts.flatMap((path) => {
      const file = parse(path);
      const part = partOf(file);
      if (part) checkEach(file, part.texts, language, part.name);
      return part ? [[part.name, { file, texts: part.texts }]] : [];
    }),
  );
}

const english = partsOf("en");
for (const language of readdirSync(CATALOGUE).filter((name) => /^[a-z]{2}$/.test(name))) {
  if (language === "en") continue;
  const others = partsOf(language);
  for (const [name, { file, texts }] of english) {
    const other = others.get(name);
    if (other) compare(other.file, texts, other.texts, name);
    else tell(file, texts, `${name} is missing in ${language}.`);
  }
  for (const [name, { file, texts }] of others) {
    if (!english.has(name)) tell(file, texts, `${name} is no part of the English texts.`);
  }
}

for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
