import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'

import { buildModule } from '../../host/module/build.ts'
import { Gate } from '../../host/module/gate.ts'
import { parseDescription } from '../../host/schema/description.ts'
import { Guest } from './guest-fixture.ts'
import { compile, IMPORTS, ModuleFolder } from './module-fixture.ts'

const MODULES = path.join(import.meta.dirname, '../../modules')
const QUERY = '@query export function one(ctx: Context): u32 { return 1; }'

test('the modules of this repository build to components that the gate takes', async () => {
  await using gate = new Gate()
  for (const name of ['claims', 'counter']) {
    const built = await buildModule(path.join(MODULES, name), { optimize: true })
    const checked = await gate.check(built.component)
    assert.deepEqual(parseDescription(checked.description), built.description)
    assert.deepEqual([built.description.module, built.warnings, built.sizeBytes], [name, [], built.component.length])
    assert.ok(built.sizeBytes < 14_000, `${name} has ${built.sizeBytes} bytes`)
    assert.ok(built.timings.totalMs > built.timings.parseMs + built.timings.compileMs + built.timings.optimizeMs)
  }
})

test('a module that is not optimized is a component as well', async () => {
  await using gate = new Gate()
  const { component, description } = await buildModule(path.join(MODULES, 'claims'), { optimize: false })
  assert.deepEqual(parseDescription((await gate.check(component)).description), description)
})

test('an author’s own folder is found wherever it lies, and its files import each other', async () => {
  using folder = new ModuleFolder({
    'package.json': '{ "name": "@sarah/my-agent" }',
    'asconfig.json': 'not JSON, and not read',
    'index.ts': `${IMPORTS}\nimport { Page, longest } from "./tables/page";\n@query export function last(ctx: Context, pages: Reader<Page>): Page[] { return pages.latest(longest); }\nexport { first } from "./tables/page";`,
    'tables/page.ts': `${IMPORTS}\n@table("pages") export class Page { @autoIncrement id: u64; @owner author: Identity; text: string; }\nexport const longest: u32 = 3;\n@query export function first(ctx: Context, pages: Reader<Page>): Page[] { return pages.oldest(longest); }`,
  })
  const { description } = await buildModule(folder.path, { optimize: false })
  assert.equal(description.module, 'my_agent')
  assert.deepEqual(
    description.tables.map((table) => table.name),
    ['pages'],
  )
  assert.deepEqual(
    description.reducers.map((reducer) => reducer.name),
    ['last', 'first'],
  )
})

test('a module exports what the world asks for and nothing else', async () => {
  assert.deepEqual(await exportsOf(QUERY), ['cabi_realloc', 'call', 'describe', 'memory'])
})

const TOP_LEVEL = `const table = new Map<string, u32>();
  let calls: u32 = 0;
  table.set("one", 1);
  @query export function one(ctx: Context): u32 { calls += 1; return 10 * calls + table.get("one"); }`

test('top-level code runs before each call, without a start section', async () => {
  assert.deepEqual(await exportsOf(TOP_LEVEL), ['_initialize', 'cabi_realloc', 'call', 'describe', 'memory'])
  const guest = await Guest.of(TOP_LEVEL)
  assert.deepEqual([guest.call('one'), guest.call('one')], [11, 11])
})

test('the gate takes a module with top-level code', async () => {
  await using gate = new Gate()
  using folder = new ModuleFolder({ 'index.ts': `${IMPORTS}\n${TOP_LEVEL}` })
  const { component, description } = await buildModule(folder.path, { optimize: true })
  assert.deepEqual(parseDescription((await gate.check(component)).description), description)
})

async function exportsOf(source: string): Promise<string[]> {
  const names = await Promise.all(
    [false, true].map(async (optimize) => {
      const { core } = await compile(source, optimize)
      const module = new WebAssembly.Module(new Uint8Array(core))
      return WebAssembly.Module.exports(module)
        .map((one) => one.name)
        .sort()
    }),
  )
  assert.deepEqual(names[0], names[1])
  return names[0] ?? []
}

test('a build error carries its place for programs', async () => {
  using folder = new ModuleFolder({ 'index.ts': `${IMPORTS}\n@reducer function add(ctx: Context): void {}\n@query export function sub(): void {}` })
  await assert.rejects(buildModule(folder.path, { optimize: false }), {
    code: 'ERR_BUILD',
    message: 'index.ts:2:19 add: a @reducer is exported; write export function add\nindex.ts:3:24 sub: the first parameter is ctx: Context',
    detail: {
      file: 'index.ts',
      line: 2,
      column: 19,
      diagnostics: ['index.ts:2:19 add: a @reducer is exported; write export function add', 'index.ts:3:24 sub: the first parameter is ctx: Context'],
    },
  })
})

test('a folder without a module is refused', async () => {
  using folder = new ModuleFolder({ 'readme.txt': 'nothing' })
  await assert.rejects(buildModule(folder.path, { optimize: false }), {
    code: 'ERR_BUILD',
    message: `${folder.path} holds no index.ts: give the folder of a module, or make one with remembrancer new`,
  })
})

test('a module that brings the compiler down costs one build and no more', async () => {
  const depth = 20_000
  using folder = new ModuleFolder({ 'index.ts': `const deep: u32 = ${'('.repeat(depth)}1${')'.repeat(depth)};` })
  using other = new ModuleFolder({ 'index.ts': `${IMPORTS}\n${QUERY}` })
  await assert.rejects(buildModule(folder.path, { optimize: false }), { code: 'ERR_BUILD', message: /^the compiler itself failed/ })
  assert.equal((await buildModule(other.path, { optimize: false })).description.module, 'diary')
})

test('builds that are asked for at once are all made', async () => {
  using folder = new ModuleFolder({ 'index.ts': `${IMPORTS}\n${QUERY}` })
  const built = await Promise.all([1, 2, 3].map(() => buildModule(folder.path, { optimize: false })))
  assert.deepEqual(
    built.map((one) => Buffer.compare(one.component, built[0]?.component ?? one.component)),
    [0, 0, 0],
  )
})
