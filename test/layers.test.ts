/** The layers of docs/architecture.md: a file imports from its own folder and from lower ones, and some things have one door. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

const root = fileURLToPath(new URL('..', import.meta.url))

/** From the lowest to the highest; what stands in one line does not know each other. */
const layers: readonly (readonly string[])[] = [
  ['host/primitives'],
  ['host/protocol'],
  ['host/schema'],
  ['host/plan'],
  ['host/policy', 'host/auth', 'host/log', 'host/sandbox'],
  ['host/storage', 'guest-sdk/transform'],
  ['host/module', 'host/sql', 'host/access-log'],
  ['host/reducer'],
  ['host/publish', 'host/media'],
  ['host/shard'],
  ['host/history'],
  ['host/api'],
  ['host/composition'],
  ['host/policy-test'],
  ['host/testing'],
  ['host/cli'],
]

/** The files directly in host/ that put the parts together; all others there are primitives. */
const composition = new Set(['catalogue', 'host', 'index', 'local-database', 'open-host', 'sender', 'session-calls'])

/** Packages that only one folder knows. */
const packageDoors: Readonly<Record<string, readonly string[]>> = {
  'better-sqlite3': ['host/storage'],
  '@bytecodealliance/jco-transpile': ['host/module'],
  assemblyscript: ['host/module', 'guest-sdk/transform'],
  jose: ['host/auth'],
  fastify: ['host/api'],
  commander: ['host/cli'],
  'libpg-query': ['host/sql'],
  werift: ['host/media/dev-room'],
  '@livekit/protocol': ['host/media/dev-room'],
  '@livekit/rtc-node': ['host/media/livekit-peer.ts'],
  undici: ['host/media/provider'],
  ws: ['host/media'],
}

/** What the compiler's transform knows of the host: what a name, a type and a schema are, and how policies are read. */
const transformImports = ['host/schema', 'host/policy/check-policies.ts', 'host/value-type.ts']

interface TextDoor {
  readonly what: string
  readonly pattern: RegExp
  /** Files or folders that may. */
  readonly open: readonly string[]
}

const textDoors: readonly TextDoor[] = [
  { what: 'runs WebAssembly', pattern: /\bWebAssembly\.\w/, open: ['host/sandbox', 'host/module'] },
  { what: 'reads the time', pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.timeOrigin\b/, open: ['host/clock.ts'] },
  {
    what: 'writes SQL',
    pattern: /\b(?:SELECT|INSERT INTO|DELETE FROM|CREATE (?:TABLE|INDEX)|ALTER TABLE|PRAGMA)\b/,
    // The last ones speak of it to people, or ask as clients do: to run it they would need one of the doors below.
    open: ['host/plan/printer.ts', 'host/storage', 'host/sql', 'host/cli/command/sql.ts', 'host/cli/sql', 'host/policy-test'],
  },
  { what: 'begins an account of touched rows', pattern: /\bnew Touched\(/, open: ['host/reducer/recorded.ts'] },
  { what: 'evaluates a text', pattern: /\beval\(|\bnew Function\(|['"](?:node:)?vm['"]/, open: [] },
  { what: 'passes on what another file exports', pattern: /^export [^'"`;()]*? from '/m, open: ['host/index.ts'] },
]

/** Who hands SQL to a file, besides the storage with the host's own tables; and they only what the printer printed. */
const statementDoors = ['host/reducer/table-access.ts', 'host/reducer/run-sql.ts', 'host/access-log/access-index.ts', 'host/publish/publish.ts']

/** The arguments of `.statement(…)` and `.execute(…)`, which prepare and run SQL, and of the driver's own methods. */
function statementsOf(code: string): readonly string[] {
  return [...code.matchAll(/\.(?:statement|execute|prepare|pragma)\(/g)].map(({ index, 0: found }) => argumentAt(code, index + found.length))
}

/** Up to the parenthesis that closes the one before `start`. */
function argumentAt(code: string, start: number): string {
  let depth = 1
  let end = start
  for (; end < code.length && depth > 0; end++) depth += code[end] === '(' ? 1 : code[end] === ')' ? -1 : 0
  return code.slice(start, end - 1).trim()
}

function isPrinted(argument: string): boolean {
  return /(?:^|\.)sql$/.test(argument)
}

/** The layer's folder of a file of the project. */
function folderOf(file: string): string {
  const [top = '', second = '', third] = file.split('/')
  if (third !== undefined) return `${top}/${second}`
  if (top !== 'host') return top
  if (second === 'testing.ts') return 'host/testing'
  return `host/${composition.has(second.replace('.ts', '')) ? 'composition' : 'primitives'}`
}

function heightOf(folder: string): number {
  return layers.findIndex((line) => line.includes(folder))
}

function importsOf(text: string): readonly string[] {
  const named = /^(?:import\s+|(?:import|export)\s[^'"`;()]*?\sfrom\s+)['"]([^'"]+)['"]/gm
  const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g
  return [named, dynamic].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name))
}

/** Comments may speak of anything. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm, '$1')
}

/** What a file of the host or of the compiler's transform does that its place does not let it. */
function violations(file: string, text: string): readonly string[] {
  const code = withoutComments(text)
  const imports = importsOf(code)
  const inProject = imports.filter((name) => name.startsWith('.')).map((name) => posix.join(posix.dirname(file), name))
  return [
    ...inProject.filter((target) => !mayImport(file, target)).map((target) => `${file} imports ${target}`),
    ...imports.filter((name) => !isOpen(packageDoors[packageOf(name)] ?? [''], file)).map((name) => `${file} imports ${name}`),
    ...(isOpen(['host/storage', 'host/plan/printer.ts'], file) ? [] : statementsOf(code))
      .filter((argument) => !statementDoors.includes(file) || !isPrinted(argument))
      .map((argument) => `${file} runs SQL that is not the printer's, or beside the doors: ${argument}`),
    ...textDoors.filter(({ pattern, open }) => pattern.test(code) && !isOpen(open, file)).map(({ what }) => `${file} ${what}`),
  ]
}

function mayImport(file: string, target: string): boolean {
  const [from, to] = [folderOf(file), folderOf(target)]
  // The sandbox is the one part that runs beside hostile code: it knows primitives only, so no SQL and no schema.
  if (from === 'host/sandbox') return to === 'host/sandbox' || to === 'host/primitives'
  if (from === 'guest-sdk/transform') return to === from || isOpen(transformImports, target)
  return from === to || (heightOf(to) >= 0 && heightOf(to) < heightOf(from))
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}

function isOpen(doors: readonly string[], file: string): boolean {
  return doors.some((door) => file === door || file.startsWith(door === '' ? '' : `${door}/`))
}

function filesOf(...patterns: readonly string[]): readonly string[] {
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).map((file) => file.split(sep).join('/'))
}

function textOf(file: string): string {
  return readFileSync(posix.join(root, file), 'utf8')
}

const files = filesOf('host/**/*.ts', 'guest-sdk/transform/**/*.ts').filter((file) => !file.endsWith('.d.ts'))

test('every file belongs to a layer', () => {
  assert.ok(files.length > 100)
  assert.deepEqual(
    files.filter((file) => heightOf(folderOf(file)) < 0),
    [],
  )
})

test('a file imports from its own folder and from lower layers, and goes through the one door of what has one', () => {
  assert.deepEqual(
    files.flatMap((file) => violations(file, textOf(file))),
    [],
  )
})

test('the guest SDK imports nothing but itself', () => {
  for (const file of filesOf('guest-sdk/*.ts')) {
    for (const name of importsOf(textOf(file))) assert.match(name, /^\.\/[a-z-]+$/, file)
  }
})

test('a module imports the guest SDK and its own files', () => {
  for (const file of filesOf('modules/**/*.ts')) {
    for (const name of importsOf(textOf(file))) assert.match(name, /^remembrancer\/guest-sdk$|^\.\/[a-z-]+$/, file)
  }
})

test('the layers that the architecture shows are these', () => {
  const document = textOf('docs/architecture.md')
  const shown = [...document.matchAll(/^\| \d+ \| (.+?) \|/gm)].map(([, folders = '']) => [...folders.matchAll(/`([^`]+)`/g)].map(([, folder]) => folder))
  assert.deepEqual(
    shown,
    layers.map((line) => line.map((folder) => folder)),
  )
})

test('what would break a rule is found', () => {
  const found = (file: string, text: string): boolean => violations(file, text).length > 0
  assert.ok(found('host/schema/a.ts', "import { a } from '../shard/b.ts'"), 'a higher layer')
  assert.ok(found('host/policy/a.ts', "import type {\n  a,\n} from '../auth/b.ts'"), 'a neighbour')
  assert.ok(found('host/clock.ts', "import { a } from './open-host.ts'"), 'a composition root from below')
  assert.ok(found('host/sandbox/a.ts', "import { a } from '../plan/b.ts'"), 'SQL in the sandbox')
  assert.ok(found('guest-sdk/transform/a.ts', "import { a } from '../../host/policy/policy.ts'"), 'the host in the SDK')
  assert.ok(found('host/reducer/a.ts', "import Sqlite from 'better-sqlite3'"), 'another door to SQLite')
  assert.ok(found('host/api/a.ts', "const a = await import('@bytecodealliance/jco-transpile/wasm-tools')"), 'another door to jco')
  assert.ok(found('host/reducer/a.ts', 'new WebAssembly.Instance(module)'), 'another door to Wasm')
  assert.ok(found('host/reducer/a.ts', 'const now = Date.now()'), 'another clock')
  assert.ok(found('host/reducer/a.ts', "file.statement('SELECT 1')"), 'SQL beside the printer')
  assert.ok(found('host/reducer/run-call.ts', 'access.get(key, { policy, touched: new Touched() })'), 'rows without a record')
  assert.ok(found('host/reducer/a.ts', 'file.statement(print(plan).sql)'), 'a statement beside the doors')
  assert.ok(found('host/reducer/table-access.ts', 'this.#file.statement(text)'), 'a text that the printer did not print')
  assert.ok(found('host/reducer/table-access.ts', 'this.#file.statement(`${printed.sql} OR 1`)'), 'a text that was added to')
  assert.ok(found('host/cli/a.ts', 'sqlite.prepare(sql)'), 'a statement of the driver')
  assert.ok(!found('host/reducer/table-access.ts', 'this.#file.statement(print(plan(1)).sql)'), 'what the printer printed')
  assert.ok(found('host/api/a.ts', "new Function('return 1')"), 'evaluation')
  assert.ok(!found('host/reducer/a.ts', "import { a } from '../plan/b.ts'\n/** Date.now() is not read here. */"), 'what is allowed')
})
